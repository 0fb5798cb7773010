using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Optimisation;
using SaferGuard.Training.Sft;

namespace SaferGuard.Training.Tests.Sft;

[Collection(nameof(Torch))]
public sealed class SftExamplesTests
{
    private static readonly GuardTokenizer Tokenizer = SmallData.Tokens.Tokenizer;

    [Fact]
    public void A_refused_prompt_becomes_the_three_passes_and_one_branch()
    {
        var row = SmallData.Prepared()[0];
        var examples = new SftExamples(SmallData.Tokens, SmallData.Plain, []);
        var evidence = row.Explanations.Single(e => e.Start.Length == 3);

        var example = Enumerable.Range(0, 50).Select(s => examples.Draw(row, 1, new Random(s)))
            .First(e => e.Tokens.Contains(Tokenizer.SpecialId(TraceFormat.EvidenceStart)));

        Assert.Equal(
            "<|assess|> <|categories|> <|risk|> <|high|> <|c4|> <|r1|> <|?|> <|r2|> <|?|> <|r3|> <|?|> <|r4|> <|?|> "
            + "<|verdicts|> <|violated|> <|clear|> <|clear|> <|clear|> <|path|> <|refuse|> <|evidence|> <|c4|> <|r1|>",
            Show(example.Tokens[example.PromptLength..^evidence.Text.Length]));
        Assert.Equal("pick the lock", Tokenizer.Decode(example.Tokens.AsSpan()[^evidence.Text.Length..]).Trim());
        Assert.Equal(
            "Assess:<|assess|>=<|refuse|> Categories:<|categories|>=<|c4|> Risk:<|risk|>=<|high|> Verdict:<|?|>=<|violated|> "
            + "Verdict:<|?|>=<|clear|> Verdict:<|?|>=<|clear|> Verdict:<|?|>=<|clear|> Path:<|path|>=<|refuse|>",
            string.Join(' ', example.Targets.Where(t => t.Question != Question.Text)
                .Select(t => $"{t.Question}:{Show(example.Tokens[t.Position])}={Show(t.Token)}")));
        var texts = example.Targets.Where(t => t.Question == Question.Text).ToList();
        Assert.Equal([.. evidence.Text, SmallData.Tokens.End], texts.Select(t => t.Token));
        Assert.Equal(example.Tokens.Length - 1, texts[^1].Position);
    }

    [Fact]
    public void A_prompt_without_category_goes_straight_to_its_path()
    {
        var example = new SftExamples(SmallData.Tokens, SmallData.Plain, []).Draw(SmallData.Prepared()[4], 1, new Random(1));

        Assert.StartsWith(
            "<|assess|> <|categories|> <|risk|> <|none|> <|c0|> <|path|> <|answer|>", Show(example.Tokens[example.PromptLength..]), StringComparison.Ordinal);
        Assert.DoesNotContain(example.Targets, t => t.Question == Question.Verdict);
    }

    [Fact]
    public void Weights_of_each_question_sum_to_1()
    {
        var examples = new SftExamples(SmallData.Tokens, new SftOptions(), [3, 5]);
        for (var seed = 0; seed < 40; seed++)
        {
            foreach (var row in SmallData.Prepared())
            {
                var example = examples.Draw(row, 1, new Random(seed));
                foreach (var question in example.Targets.GroupBy(t => t.Question)) Assert.Equal(1, question.Sum(t => t.Weight), 1e-5f);
            }
        }
    }

    [Fact]
    public void A_wrong_category_does_not_apply_and_leaves_the_decision_alone()
    {
        var examples = new SftExamples(SmallData.Tokens, SmallData.Plain with { WrongCategory = 1, WrongCategoryAlone = 1 }, [2]);
        var notApplicable = Tokenizer.SpecialId(TraceFormat.Token(Verdict.NotApplicable));
        var answered = examples.Draw(SmallData.Prepared()[4], 1, new Random(1));
        var refused = Enumerable.Range(0, 20).Select(s => examples.Draw(SmallData.Prepared()[0], 1, new Random(s)))
            .First(e => e.Targets.Count(t => t.Question == Question.Verdict) > 4);

        Assert.All(answered.Targets.Where(t => t.Question == Question.Verdict), t => Assert.Equal(notApplicable, t.Token));
        Assert.Equal(SmallData.Tokens.CategorySlots[0], answered.Targets.Single(t => t.Question == Question.Categories).Token);
        Assert.Equal("<|answer|>", Show(answered.Targets.Single(t => t.Question == Question.Path).Token));
        Assert.Contains(refused.Targets, t => t.Question == Question.Verdict && t.Token == notApplicable);
        Assert.Equal("<|refuse|>", Show(refused.Targets.Single(t => t.Question == Question.Path).Token));
    }

    [Fact]
    public void Masking_spares_markers_and_the_evidence_that_is_copied()
    {
        var row = SmallData.Prepared()[0];
        var examples = new SftExamples(SmallData.Tokens, SmallData.Plain with { WordMasking = 1 }, []);
        var evidence = row.Explanations.Single(e => e.Start.Length == 3);
        var example = Enumerable.Range(0, 50).Select(s => examples.Draw(row, 1, new Random(s)))
            .First(e => e.Tokens.Contains(Tokenizer.SpecialId(TraceFormat.EvidenceStart)));

        var prompt = example.Tokens[..example.PromptLength];

        Assert.Equal("<|user|>", Show(prompt[0]));
        Assert.Equal(evidence.Text, prompt[evidence.Copied]);
        Assert.Equal(prompt.Length - 1 - evidence.Text.Length, prompt.Count(t => t == Tokenizer.SpecialId(TraceFormat.Mask)));
    }

    [Fact]
    public void A_long_prompt_keeps_its_head_and_tail_and_gives_up_evidence_that_was_cut()
    {
        var whole = SmallData.Prepared()[0];
        var cut = SmallData.Prepared(maxPromptTokens: 8)[0];

        Assert.Equal([.. whole.Prompt[..4], .. whole.Prompt[^4..]], cut.Prompt);
        Assert.Equal(3, whole.Explanations.Count);
        Assert.Equal(2, cut.Explanations.Count);
    }

    [Fact]
    public void An_epoch_is_a_function_of_seed_and_number_and_fills_batches_to_their_limit()
    {
        var options = new SftOptions { BatchTokens = 300 };
        var rows = SmallData.Prepared().Select((r, i) => r with { Weight = i == 0 ? 3 : i == 1 ? 0.5 : 1 }).ToList();
        var examples = new SftExamples(SmallData.Tokens, options, []);

        var first = EpochPlan.Of(rows, examples, options, epoch: 0);
        var again = EpochPlan.Of(rows, examples, options, epoch: 0);
        var next = EpochPlan.Of(rows, examples, options, epoch: 1);

        Assert.Equal(Flat(first), Flat(again));
        Assert.NotEqual(Flat(first), Flat(next));
        Assert.All(first, b => Assert.True(b.Length == 1 || b.Length * b.Max(e => e.Tokens.Length) <= 300));
        Assert.Equal(rows.Count + 2, first.Sum(b => b.Length));
        Assert.Single(first.SelectMany(b => b), e => e.Weight == 0.5f);

        static IEnumerable<int> Flat(List<SftExample[]> plan) => plan.SelectMany(b => b).SelectMany(e => e.Tokens);
    }

    [Fact]
    public void The_learning_rate_rises_and_falls()
    {
        var options = new SftOptions { LearningRate = 1, Warmup = 0.1, FinalRate = 0.2 };

        Assert.Equal(0.5, LearningRates.At(0.05, options), 9);
        Assert.Equal(1, LearningRates.At(0.1, options), 9);
        Assert.Equal(0.6, LearningRates.At(0.55, options), 9);
        Assert.Equal(0.2, LearningRates.At(1, options), 9);
    }

    private static string Show(params int[] tokens) => string.Join(' ', tokens.Select(t => TraceFormat.SpecialTokens.ElementAtOrDefault(t) ?? "text"));
}
