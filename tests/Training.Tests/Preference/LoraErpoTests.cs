using SaferGuard.Training.Model;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Preference;

[Collection(nameof(Torch))]
public sealed class LoraErpoTests
{
    private static readonly ErpoOptions Options = new() { Epochs = 12, BatchTokens = 512, LearningRate = 5e-3, EvaluationsPerEpoch = 1 };

    [Fact]
    public void Adapters_learn_preferences_while_frozen_weights_stay()
    {
        var decoder = Adapted();
        var frozen = decoder.parameters().Where(p => !p.requires_grad).Select(p => (Parameter: p, Values: p.data<float>().ToArray())).ToList();
        using var trainer = new ErpoTrainer(decoder, SmallData.Tokens, Pairs(), Options);

        var steps = trainer.Steps().ToList();

        Assert.Equal(0, steps[0].Metrics["rewards/margins"], 0.05); // Dropout is all that differs from the reference.
        Assert.Equal(1, trainer.Measure(Pairs()).Metrics["rewards/accuracies"], 1e-5);
        Assert.NotEmpty(frozen);
        Assert.All(frozen, f => Assert.Equal(f.Values, f.Parameter.data<float>().ToArray()));
    }

    [Fact]
    public void An_interrupted_run_of_adapters_ends_like_one_that_was_not()
    {
        using var folder = new TemporaryFolder();
        using var whole = new ErpoTrainer(Adapted(), SmallData.Tokens, Pairs(), Options);
        var expected = whole.Steps().ToList();
        using (var interrupted = new ErpoTrainer(Adapted(), SmallData.Tokens, Pairs(), Options))
        {
            foreach (var _ in interrupted.Steps().Take(expected.Count / 2)) { }
            interrupted.Save(folder.Path);
        }

        using var resumed = new ErpoTrainer(Adapted(), SmallData.Tokens, Pairs(), Options);
        resumed.Restore(folder.Path);
        var rest = resumed.Steps().ToList();

        Assert.All(expected.TakeLast(rest.Count).Zip(rest), s => Assert.Equal(s.First.Loss, s.Second.Loss, 1e-5));
    }

    private static Decoder Adapted()
    {
        var decoder = SmallPairs.NewDecoder(1);
        manual_seed(7);
        decoder.Adapt(Adaptation.Of(new LoraOptions { Rank = 8 }, SmallData.Tokens.Tokenizer));
        return decoder;
    }

    private static List<StepPair> Pairs()
    {
        using var loss = new StepLoss(SmallData.Tokens, Options);
        using var reference = SmallPairs.NewDecoder(1);
        return SmallPairs.Prepared(reference, loss);
    }
}
