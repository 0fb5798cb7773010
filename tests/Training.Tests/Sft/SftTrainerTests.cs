using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Runs;
using SaferGuard.Training.Sft;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Sft;

[Collection(nameof(Torch))]
public sealed class SftTrainerTests
{
    private static readonly SftOptions Noisy = new() { Epochs = 6, BatchTokens = 256, AveragedShare = 0.5, LearningRate = 1e-2 };

    [Fact]
    public void Eight_examples_are_learned_by_heart()
    {
        var options = SmallData.Plain with { Epochs = 150, LearningRate = 1e-2, Weights = new LossWeights(Text: 1) };
        var rows = SmallData.Prepared();
        using var trainer = new SftTrainer(SmallData.Config, SmallData.Tokens, rows, options, ScalarType.Float32);

        var last = trainer.Steps().Last();

        Assert.InRange(last.Loss, 0, 0.05);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var examples = new SftExamples(SmallData.Tokens, options, []);
        var ngrams = new WordNgrams(SmallData.Tokens.Tokenizer, SmallData.Config.SaferguardNgrams!);
        trainer.Best.eval();
        foreach (var example in Enumerable.Range(0, 5).SelectMany(seed => rows.Select(r => examples.Draw(r, 1, new Random(seed)))))
        {
            var batch = SftBatch.Of([example], ngrams);
            var hidden = trainer.Best.Run(trainer.Best.Embed(batch.Tokens, batch.Ngrams))[0];
            var choices = new SortedSet<int>([
                .. SmallData.Tokens.Decisions, .. SmallData.Tokens.Risks, .. SmallData.Tokens.Verdicts, .. SmallData.Tokens.CategorySlots,
            ]);
            foreach (var target in example.Targets)
            {
                var logits = trainer.Best.Logits(hidden[target.Position].unsqueeze(0))[0].data<float>().ToArray();
                IEnumerable<int> allowed = target.Question switch
                {
                    Question.Text => Enumerable.Range(0, logits.Length),
                    Question.Categories => SmallData.Tokens.CategorySlots,
                    Question.Risk => SmallData.Tokens.Risks,
                    Question.Verdict => SmallData.Tokens.Verdicts,
                    _ => SmallData.Tokens.Decisions,
                };
                Assert.Equal(target.Token, allowed.MaxBy(t => logits[t]));
            }
        }
    }

    [Fact]
    public void A_run_that_was_interrupted_ends_like_one_that_was_not()
    {
        using var folder = new TemporaryFolder();
        var rows = SmallData.Prepared();
        using var whole = new SftTrainer(SmallData.Config, SmallData.Tokens, rows, Noisy, ScalarType.Float32);
        var expected = whole.Steps().ToList();

        using (var interrupted = new SftTrainer(SmallData.Config, SmallData.Tokens, rows, Noisy, ScalarType.Float32))
        {
            foreach (var _ in interrupted.Steps().Take(expected.Count * 2 / 3)) { }
            interrupted.Save(folder.Path);
        }

        using var resumed = new SftTrainer(SmallData.Config, SmallData.Tokens, rows, Noisy, ScalarType.Float32);
        resumed.Restore(folder.Path);
        var rest = resumed.Steps().ToList();

        Assert.Equal(expected.Count * 2 / 3, rest[0].Position.Step);
        Assert.Equal(expected.Count, rest[^1].Position.Step + 1);
        Assert.All(expected.TakeLast(rest.Count).Zip(rest), s => Assert.Equal(s.First.Loss, s.Second.Loss, 1e-4));
    }

    [Fact]
    public void A_run_with_other_options_is_not_taken_up()
    {
        using var folder = new TemporaryFolder();
        using var saved = new SftTrainer(SmallData.Config, SmallData.Tokens, SmallData.Prepared(), Noisy, ScalarType.Float32);
        saved.Save(folder.Path);
        using var other = new SftTrainer(SmallData.Config, SmallData.Tokens, SmallData.Prepared(), Noisy with { Seed = 9 }, ScalarType.Float32);

        Assert.Throws<InvalidDataException>(() => other.Restore(folder.Path));
    }

    [Fact]
    public void Fifty_steps_leave_no_tensors_behind()
    {
        using var trainer = new SftTrainer(
            SmallData.Config, SmallData.Tokens, SmallData.Prepared(), Noisy with { Epochs = 30 }, ScalarType.Float32);
        using var steps = trainer.Steps().GetEnumerator();
        for (var i = 0; i < 5; i++) Assert.True(steps.MoveNext());
        GC.Collect(); // What other tests left to the finaliser.
        NativeTemporaries.Free();
        var before = Tensor.TotalCount;

        for (var i = 0; i < 50; i++) Assert.True(steps.MoveNext());

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Training_in_bfloat16_learns_too()
    {
        var options = SmallData.Plain with { Epochs = 25, LearningRate = 1e-2 };
        using var trainer = new SftTrainer(SmallData.Config, SmallData.Tokens, SmallData.Prepared(), options, ScalarType.BFloat16);

        var steps = trainer.Steps().ToList();

        Assert.InRange(steps[^1].Loss, 0, steps[0].Loss / 3);
    }
}
