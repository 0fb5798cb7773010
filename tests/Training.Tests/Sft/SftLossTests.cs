using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;
using SaferGuard.Training.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Sft;

[Collection(nameof(Torch))]
public sealed class SftLossTests
{
    [Fact]
    public void Gradients_of_the_whole_loss_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var options = SmallData.Plain with { LabelSmoothing = 0.1 };
        var decoder = new Decoder(SmallData.Config);
        var pooled = new PooledHead(SmallData.Config.HiddenSize);
        using var loss = new SftLoss(SmallData.Tokens, options);
        decoder.to(ScalarType.Float64);
        pooled.to(ScalarType.Float64);
        using (no_grad())
        {
            // Larger weights than at the start of a run, so that no gradient is lost in rounding.
            foreach (var weight in decoder.parameters()) weight.add_(randn_like(weight) * 0.2);
            decoder.NgramTable![0].zero_();
        }

        var examples = new SftExamples(SmallData.Tokens, options, []);
        var rows = SmallData.Prepared();
        var batch = SftBatch.Of(
            [examples.Draw(rows[0], 1, new Random(2)), examples.Draw(rows[5], 0.5f, new Random(3))],
            new WordNgrams(SmallData.Tokens.Tokenizer, SmallData.Config.SaferguardNgrams!));
        loss.Of(decoder, pooled, batch).Total.backward();

        const double Step = 1e-5;
        var random = new Random(4);
        using var _ = no_grad();
        foreach (var (name, parameter) in decoder.named_parameters().Concat(pooled.named_parameters()))
        {
            var gradient = parameter.grad!.flatten();
            var flat = parameter.view(-1);
            var largest = gradient.abs().argmax().item<long>();
            Assert.True(gradient[largest].abs().item<double>() > 1e-7, $"{name} gets no gradient");
            foreach (var i in new[] { largest, random.NextInt64(flat.shape[0]), random.NextInt64(flat.shape[0]) })
            {
                if (name == "model.ngram_embed.weight" && i < SmallData.Config.SaferguardNgrams!.Size) continue;
                var value = flat[i].item<double>();
                flat[i] = value + Step;
                var above = loss.Of(decoder, pooled, batch).Total.item<double>();
                flat[i] = value - Step;
                var below = loss.Of(decoder, pooled, batch).Total.item<double>();
                flat[i] = value;
                Assert.Equal((above - below) / (2 * Step), gradient[i].item<double>(), 1e-7);
            }
        }
    }

    [Fact]
    public void Padding_changes_no_loss()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        manual_seed(5);
        var decoder = new Decoder(SmallData.Config);
        var pooled = new PooledHead(SmallData.Config.HiddenSize);
        using var loss = new SftLoss(SmallData.Tokens, SmallData.Plain);
        var examples = new SftExamples(SmallData.Tokens, SmallData.Plain, []);
        var drawn = SmallData.Prepared().Select(r => examples.Draw(r, 1, new Random(1))).ToList();
        var ngrams = new WordNgrams(SmallData.Tokens.Tokenizer, SmallData.Config.SaferguardNgrams!);

        var together = loss.Of(decoder, pooled, SftBatch.Of(drawn, ngrams)).Total.item<float>();
        var apart = drawn.Average(e => loss.Of(decoder, pooled, SftBatch.Of([e], ngrams)).Total.item<float>());

        Assert.Equal(apart, together, 1e-5f);
    }
}
