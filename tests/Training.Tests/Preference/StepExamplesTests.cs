using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Sft;
using SaferGuard.Training.Tests.Sft;

namespace SaferGuard.Training.Tests.Preference;

public sealed class StepExamplesTests
{
    [Fact]
    public void The_label_at_a_query_token_is_the_verdict_and_not_the_next_token()
    {
        var example = Example(Step.Verdicts, p => p.Chosen);

        var query = SmallData.Tokens.Tokenizer.SpecialId(TraceFormat.Query);
        Assert.All(example.Targets, t => Assert.Equal(query, example.Tokens[t.Position]));
        Assert.Equal(SmallData.Tokens.Verdicts[(int)Verdict.Violated], example.Targets[0].Token);
        Assert.All(example.Targets.Skip(1), t => Assert.Equal(SmallData.Tokens.Verdicts[(int)Verdict.Clear], t.Token));
        Assert.DoesNotContain(example.Tokens, t => SmallData.Tokens.Verdicts.Contains(t));
    }

    [Theory]
    [InlineData(nameof(Step.Assessment))]
    [InlineData(nameof(Step.Verdicts))]
    [InlineData(nameof(Step.Path))]
    public void What_is_read_at_query_tokens_has_the_same_input_on_both_sides(string step)
    {
        var (chosen, rejected) = (Example(Enum.Parse<Step>(step), p => p.Chosen), Example(Enum.Parse<Step>(step), p => p.Rejected));

        Assert.Equal(chosen.Tokens, rejected.Tokens);
        Assert.Equal(chosen.Targets.Select(t => t.Position), rejected.Targets.Select(t => t.Position));
        Assert.NotEqual(chosen.Targets.Select(t => t.Token), rejected.Targets.Select(t => t.Token));
    }

    [Fact]
    public void Inputs_and_labels_are_those_of_supervised_fine_tuning()
    {
        // The same row as its gold trace: what SFT asks in a step is what ERPO asks.
        var row = SmallData.Prepared()[0];
        var taught = new SftExamples(SmallData.Tokens, SmallData.Plain, []).Draw(row, 1, new Random(1));
        foreach (var (step, question) in new[] { (Step.Verdicts, Question.Verdict), (Step.Path, Question.Path) })
        {
            var example = Example(step, p => p.Chosen);
            Assert.Equal(taught.Tokens[..example.Tokens.Length], example.Tokens);
            Assert.Equal(
                taught.Targets.Where(t => t.Question == question).Select(t => (t.Position, t.Token)),
                example.Targets.Select(t => (t.Position, t.Token)));
        }
    }

    [Fact]
    public void A_sentence_is_asked_token_by_token_and_its_end_where_it_ended()
    {
        var intent = Example(Step.Intent, p => p.Chosen);
        var cutOff = Example(Step.Strategy, p => p.Rejected);

        Assert.Equal([.. SmallPairs.Text("bake bread").Tokens, SmallData.Tokens.End], intent.Targets.Select(t => t.Token));
        Assert.Equal(SmallPairs.Text("message for my boss").Tokens, cutOff.Targets.Select(t => t.Token));
        foreach (var example in new[] { intent, cutOff })
        {
            Assert.Equal(example.Tokens.Length - 1, example.Targets[^1].Position);
            Assert.All(example.Targets.SkipLast(1), t => Assert.Equal(t.Token, example.Tokens[t.Position + 1]));
        }
    }

    private static SftExample Example(Step step, Func<PreferencePair, SampledTrace> side)
    {
        var pair = SmallPairs.All.First(p => p.Step == step);
        var row = SmallData.Prepared()[SmallData.Rows.ToList().FindIndex(r => r.Id == pair.Row)];
        return StepExamples.Of(side(pair), step, row, SmallData.Tokens);
    }
}
