using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter.Tests;

/// <summary>
/// The forward pass of a checkpoint as the papers state it, in double precision, one whole sequence at a time, with no cache and no shared
/// code: what the exported graphs are measured against.
/// </summary>
internal sealed class NaiveTransformer(Checkpoint checkpoint)
{
    private readonly ModelConfig _config = checkpoint.Config;

    /// <param name="ngrams">Buckets (tokens, orders); ignored where the model has no n-gram embeddings.</param>
    /// <returns>Logits of every position.</returns>
    public float[][] Forward(ReadOnlySpan<int> tokens, long[] ngrams)
    {
        var hidden = new double[tokens.Length][];
        for (var t = 0; t < tokens.Length; t++) hidden[t] = Embed(tokens[t], ngrams, t);
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            var attended = Attend(layer, [.. hidden.Select(x => Normalise(x, Name(layer, "input_layernorm")))]);
            for (var t = 0; t < hidden.Length; t++)
            {
                hidden[t] = Sum(hidden[t], Multiply(Name(layer, "self_attn.o_proj"), attended[t]));
                hidden[t] = Sum(hidden[t], FeedForward(layer, Normalise(hidden[t], Name(layer, "post_attention_layernorm"))));
            }
        }

        return [.. hidden.Select(x => Multiply(Checkpoint.EmbedTokens, Normalise(x, Checkpoint.FinalNorm)).Select(l => (float)l).ToArray())];
    }

    private static string Name(int layer, string name) => Checkpoint.LayerTensor(layer, name);

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private double[] Row(string name, long row)
    {
        var columns = (int)checkpoint.Read(name).Shape[1];
        return [.. checkpoint.Read(name).Data.Skip((int)row * columns).Take(columns).Select(x => (double)x)];
    }

    private double[] Multiply(string name, double[] x)
    {
        var weights = checkpoint.Read(name).Data;
        var y = new double[weights.Length / x.Length];
        for (var i = 0; i < y.Length; i++)
        {
            for (var j = 0; j < x.Length; j++) y[i] += weights[i * x.Length + j] * x[j];
        }

        return y;
    }

    private double[] Embed(int token, long[] ngrams, int position)
    {
        var x = Row(Checkpoint.EmbedTokens, token);
        if (_config.SaferguardNgrams is not { } config) return x;
        var sum = new double[config.Size];
        for (var order = 0; order < config.Orders; order++) sum = Sum(sum, Row(Checkpoint.NgramEmbed, ngrams[position * config.Orders + order]));
        return Sum(x, Multiply(Checkpoint.NgramProjection, sum));
    }

    private double[] Normalise(double[] x, string weights)
    {
        var scale = 1 / Math.Sqrt(x.Average(v => v * v) + _config.RmsNormEps);
        return [.. x.Zip(checkpoint.Read(weights).Data, (v, w) => v * scale * w)];
    }

    private double[][] Attend(int layer, double[][] x)
    {
        var size = _config.HeadSize;
        var queries = x.Select((v, t) => Rotate(Multiply(Name(layer, "self_attn.q_proj"), v), t)).ToArray();
        var keys = x.Select((v, t) => Rotate(Multiply(Name(layer, "self_attn.k_proj"), v), t)).ToArray();
        var values = x.Select(v => Multiply(Name(layer, "self_attn.v_proj"), v)).ToArray();
        var result = new double[x.Length][];
        for (var t = 0; t < x.Length; t++)
        {
            result[t] = new double[_config.NumAttentionHeads * size];
            for (var head = 0; head < _config.NumAttentionHeads; head++)
            {
                var group = head / (_config.NumAttentionHeads / _config.NumKeyValueHeads);
                var scores = new double[t + 1];
                for (var s = 0; s <= t; s++)
                {
                    for (var i = 0; i < size; i++) scores[s] += queries[t][head * size + i] * keys[s][group * size + i];
                    scores[s] = Math.Exp(scores[s] / Math.Sqrt(size));
                }

                for (var s = 0; s <= t; s++)
                {
                    for (var i = 0; i < size; i++) result[t][head * size + i] += scores[s] / scores.Sum() * values[s][group * size + i];
                }
            }
        }

        return result;
    }

    /// <summary>Rotary embedding of every head: element i of a head turns with element i + half.</summary>
    private double[] Rotate(double[] x, int position)
    {
        var size = _config.HeadSize;
        var rotated = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var (head, element) = (i / size, i % size);
            var pair = element % (size / 2);
            var angle = position / Math.Pow(_config.RopeTheta, 2.0 * pair / size);
            double a = x[head * size + pair], b = x[head * size + pair + size / 2];
            rotated[i] = element < size / 2 ? a * Math.Cos(angle) - b * Math.Sin(angle) : b * Math.Cos(angle) + a * Math.Sin(angle);
        }

        return rotated;
    }

    private double[] FeedForward(int layer, double[] x)
    {
        var gate = Multiply(Name(layer, "mlp.gate_proj"), x);
        var up = Multiply(Name(layer, "mlp.up_proj"), x);
        return Multiply(Name(layer, "mlp.down_proj"), [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]);
    }
}
