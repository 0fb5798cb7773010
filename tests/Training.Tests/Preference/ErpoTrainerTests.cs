using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Preference;

[Collection(nameof(Torch))]
public sealed class ErpoTrainerTests
{
    private static readonly ErpoOptions Options = new() { Epochs = 12, BatchTokens = 512, LearningRate = 2e-3, AveragedShare = 0.3, EvaluationsPerEpoch = 1 };

    [Fact]
    public void A_few_steps_raise_the_accuracy_of_rewards()
    {
        using var trainer = NewTrainer(Options with { Epochs = 30 });
        var steps = trainer.Steps().ToList();

        var (first, last) = (steps[0].Metrics, trainer.Measure(Pairs()).Metrics);
        Assert.Equal(0, first["rewards/margins"], 1e-5);
        Assert.Equal(1, last["rewards/accuracies"], 1e-5);
        Assert.True(last["rewards/margins"] > 0.1);
        Assert.True(last["rewards/chosen"] > last["rewards/rejected"]);
    }

    [Fact]
    public void A_run_that_was_interrupted_ends_like_one_that_was_not()
    {
        using var folder = new TemporaryFolder();
        using var whole = NewTrainer(Options);
        var expected = whole.Steps().ToList();
        whole.Best.Consider(whole.Latest, new HeldOutScores(0, 1, null));

        using (var interrupted = NewTrainer(Options))
        {
            interrupted.Best.Consider(interrupted.Latest, new HeldOutScores(0, 1, null));
            foreach (var _ in interrupted.Steps().Take(expected.Count * 3 / 4)) { }
            interrupted.Best.Consider(interrupted.Latest, new HeldOutScores(interrupted.Position.Step, 0.5, null));
            interrupted.Save(folder.Path);
        }

        using var resumed = NewTrainer(Options);
        resumed.Restore(folder.Path);
        Assert.Equal(0.5, resumed.Best.Scores!.Loss);
        var rest = resumed.Steps().ToList();

        Assert.Equal(expected.Count * 3 / 4, rest[0].Position.Step);
        Assert.Equal(expected.TakeLast(rest.Count).Select(s => s.Loss), rest.Select(s => s.Loss));
        Assert.Equal(whole.Measure(Pairs()).Loss, resumed.Measure(Pairs()).Loss);
    }

    [Fact]
    public void A_run_with_other_options_is_not_taken_up()
    {
        using var folder = new TemporaryFolder();
        using var saved = NewTrainer(Options);
        saved.Save(folder.Path);
        using var other = NewTrainer(Options with { Beta = 0.2 });

        Assert.Throws<InvalidDataException>(() => other.Restore(folder.Path));
    }

    [Fact]
    public void Training_stops_when_held_out_pairs_get_no_better_and_keeps_the_best_weights()
    {
        using var decoder = SmallPairs.NewDecoder(1);
        using var best = new BestWeights(decoder, Options with { Patience = 2, AucTolerance = 0.01 });
        best.Consider(decoder, new HeldOutScores(0, 0.9, 0.80));
        Move(1);
        best.Consider(decoder, new HeldOutScores(10, 0.8, 0.80));
        Assert.Equal(Sum(decoder), Sum(best.Weights));

        var kept = Sum(best.Weights);
        Move(1);
        best.Consider(decoder, new HeldOutScores(20, 0.7, 0.78)); // Better at its pairs, worse at judging.
        Assert.False(best.IsOver);
        best.Consider(decoder, new HeldOutScores(30, 0.85, 0.81));

        Assert.True(best.IsOver);
        Assert.Equal(10, best.Scores!.Step);
        Assert.Equal(kept, Sum(best.Weights));

        void Move(double by)
        {
            using var _ = no_grad();
            using var step = full(1, by);
            foreach (var weight in decoder.parameters()) weight.add_(step);
        }

        static float Sum(SaferGuard.Training.Model.Decoder decoder)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            return decoder.parameters().Sum(p => p.sum().item<float>());
        }
    }

    private static ErpoTrainer NewTrainer(ErpoOptions options) => new(SmallPairs.NewDecoder(1), SmallData.Tokens, Pairs(), options);

    private static List<StepPair> Pairs()
    {
        using var loss = new StepLoss(SmallData.Tokens, Options);
        using var reference = SmallPairs.NewDecoder(1);
        return SmallPairs.Prepared(reference, loss);
    }
}
