using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;

namespace SaferGuard.Training.Tests.Preference;

public sealed class SamplingProgramTests
{
    private static readonly TraceTokens Tokens = SmallData.Tokens;
    private static readonly SentenceMasks Masks = new(Tokens);

    [Fact]
    public void Choices_follow_the_models_distribution()
    {
        const int Samples = 4000;
        var logits = new float[3 * Tokens.Tokenizer.VocabularySize];
        logits[Tokens.Tokenizer.VocabularySize + Tokens.CategorySlots[5]] = MathF.Log(7); // 7 against 14 times 1

        var chosen = Enumerable.Range(0, Samples).Count(i =>
        {
            var program = Program($"{i}", new RollOutOptions());
            var rules = program.Advance(new LogitRows(logits, Tokens.Tokenizer.VocabularySize)).Chunk;
            return rules.Tokens.Contains(Tokens.CategorySlots[5]);
        });

        // Within four standard deviations.
        Assert.InRange(chosen, Samples / 3.0 - 120, Samples / 3.0 + 120);
    }

    [Fact]
    public void A_low_temperature_takes_the_likeliest()
    {
        for (var i = 0; i < 20; i++)
        {
            var random = new Random(i);
            var logits = Logits(3, random);
            var expected = Tokens.CategorySlots.MaxBy(t => logits[Tokens.Tokenizer.VocabularySize + t]);
            var rules = Program("key", new RollOutOptions { Temperature = 0.001 }).Advance(new LogitRows(logits, Tokens.Tokenizer.VocabularySize));
            Assert.Contains(expected, rules.Chunk.Tokens);
        }
    }

    [Fact]
    public void Whatever_the_logits_are_the_trace_is_whole_and_consistent()
    {
        for (var i = 0; i < 300; i++)
        {
            var program = Program($"{i}", new RollOutOptions { TextTemperature = 2 });
            Run(program, new Random(i));

            var trace = program.Trace;
            var rules = Tokens.RulesOf([GoldRow.SlotOf(trace.Category, Tokens)]).ToList();
            Assert.Equal(rules.Count, trace.Verdicts!.Count);
            Assert.True(Consistency.Allows(trace.Decision!.Value, rules.Select(r => r.Effect).Zip(trace.Verdicts)));
            foreach (var sentence in new[] { trace.Intent!, trace.Strategy! })
            {
                Assert.InRange(sentence.Tokens.Count, 1, TraceFormat.MaxSentenceTokens);
                Assert.Equal(sentence.Ended, sentence.Tokens.Count < TraceFormat.MaxSentenceTokens);
                Assert.NotEmpty(sentence.Text);
            }
        }
    }

    [Fact]
    public void Equal_keys_give_equal_traces_and_other_keys_others()
    {
        var traces = "aab".Select(key =>
        {
            var program = Program($"{key}", new RollOutOptions());
            Run(program, new Random(1));
            return program.Trace;
        }).ToList();

        Assert.Equivalent(traces[0], traces[1], strict: true);
        Assert.NotEqual(traces[0].Intent!.Tokens, traces[2].Intent!.Tokens);
    }

    private static SamplingProgram Program(string key, RollOutOptions options) => new(Tokens, Masks, [40, 41, 42], Subject.Prompt, options, key);

    private static void Run(SequenceProgram program, Random random)
    {
        var continuation = Continuation.Append(program.Start);
        while (continuation.IsAppend)
            continuation = program.Advance(new LogitRows(Logits(continuation.Chunk.Queries.Length, random), Tokens.Tokenizer.VocabularySize));
        foreach (var branch in continuation.Branches ?? []) Run(branch, random);
    }

    private static float[] Logits(int rows, Random random) =>
        [.. Enumerable.Range(0, rows * Tokens.Tokenizer.VocabularySize).Select(_ => 4 * random.NextSingle())];
}
