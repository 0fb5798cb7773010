using SaferGuard.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Model;

[Collection(nameof(Torch))]
public sealed class AttentionTests
{
    [Theory]
    [InlineData(4, 4)]
    [InlineData(4, 2)]
    [InlineData(6, 1)]
    public void Attention_equals_a_loop_over_heads_and_positions(int heads, int keyHeads)
    {
        const int Tokens = 5;
        const int HeadSize = 6;
        const int Hidden = 10;
        const float Theta = 100;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        manual_seed(1);
        var config = TinyModel.Config with
        {
            HiddenSize = Hidden,
            NumAttentionHeads = heads,
            NumKeyValueHeads = keyHeads,
            HeadDim = HeadSize,
            RopeTheta = Theta,
        };
        var attention = new Attention(WeightSource.Chance, config);
        attention.to(ScalarType.Float64);
        foreach (var weight in attention.parameters()) weight.normal_();
        var x = randn(2, Tokens, Hidden, ScalarType.Float64);

        var fast = attention.Attend(x, new Positions(Tokens, config, ScalarType.Float64));

        var weights = attention.named_parameters().ToDictionary(p => p.name, p => p.parameter.cpu());
        for (var b = 0; b < 2; b++)
        {
            for (var t = 0; t < Tokens; t++)
            {
                var read = new double[heads * HeadSize];
                for (var h = 0; h < heads; h++)
                {
                    var keyHead = h / (heads / keyHeads);
                    var q = Rotate(Map("q_proj", b, t, h), t);
                    var scores = Enumerable.Range(0, t + 1).Select(s => Dot(q, Rotate(Map("k_proj", b, s, keyHead), s)) / Math.Sqrt(HeadSize)).ToArray();
                    var total = scores.Sum(Math.Exp);
                    for (var s = 0; s <= t; s++)
                    {
                        var v = Map("v_proj", b, s, keyHead);
                        for (var i = 0; i < HeadSize; i++) read[h * HeadSize + i] += Math.Exp(scores[s]) / total * v[i];
                    }
                }

                for (var c = 0; c < Hidden; c++)
                {
                    var slow = Enumerable.Range(0, read.Length).Sum(i => weights["o_proj.weight"][c, i].item<double>() * read[i]);
                    Assert.Equal(slow, fast[b, t, c].item<double>(), 1e-9);
                }
            }
        }

        double[] Map(string projection, int b, int t, int head) =>
            [.. Enumerable.Range(0, HeadSize).Select(i => weights[projection + ".weight"][head * HeadSize + i].dot(x[b, t]).item<double>())];

        double[] Rotate(double[] values, int position)
        {
            var rotated = new double[HeadSize];
            for (var i = 0; i < HeadSize / 2; i++)
            {
                var angle = position * Math.Pow(Theta, -2.0 * i / HeadSize);
                var (a, b) = (values[i], values[i + HeadSize / 2]);
                rotated[i] = a * Math.Cos(angle) - b * Math.Sin(angle);
                rotated[i + HeadSize / 2] = b * Math.Cos(angle) + a * Math.Sin(angle);
            }

            return rotated;
        }

        static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
    }
}
