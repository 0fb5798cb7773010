using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;

namespace SaferGuard.Training.Tests.Preference;

public sealed class PairMakerTests
{
    private static readonly Verdict[] Right = [Verdict.Violated, .. Enumerable.Repeat(Verdict.Clear, Rules - 1)];
    private static readonly Verdict[] Blind = [.. Enumerable.Repeat(Verdict.Clear, Rules)];

    /// <summary>What the teacher says of row 0, more or less.</summary>
    private static readonly SampledTrace Good = new(
        Decision.Refuse, "S4", Risk.High, Right, Decision.Refuse, SmallPairs.Text("Wants help with harm."), SmallPairs.Text("Decline and offer a safe way."));

    private static int Rules => SmallData.Tokens.Policy.Categories.Single(c => c.Id == "S4").Rules.Count;

    [Fact]
    public void A_trace_is_faulty_from_the_first_step_that_departs_from_the_teacher()
    {
        var row = SmallPairs.Gold(0);
        Assert.Null(Fault(Good));
        Assert.Null(Fault(Good with { Risk = Risk.Low, Verdicts = [Verdict.Violated, .. Enumerable.Repeat(Verdict.NotApplicable, Rules - 1)] }));
        Assert.Equal(Step.Assessment, Fault(Good with { Impression = Decision.Answer }));
        Assert.Equal(Step.Assessment, Fault(Good with { Category = "S0", Verdicts = [], Decision = Decision.Answer }));
        Assert.Equal(Step.Verdicts, Fault(Good with { Verdicts = Blind, Decision = Decision.Answer }));
        Assert.Equal(Step.Path, Fault(Good with { Decision = Decision.Care }));

        Step? Fault(SampledTrace trace) => row.FirstFault(trace, SmallData.Tokens);
    }

    [Fact]
    public void A_faulty_step_loses_to_the_models_own_right_one_behind_the_same_beginning()
    {
        var pairs = Pairs(Good, Good with { Verdicts = Blind, Decision = Decision.Answer }, Good with { Risk = Risk.Low, Decision = Decision.Care });

        var verdicts = Assert.Single(pairs, p => p.Step == Step.Verdicts);
        Assert.Equal(Winner.Model, verdicts.Winner);
        Assert.Equal(Right, verdicts.Chosen.Verdicts);
        Assert.Equal(Blind, verdicts.Rejected.Verdicts);
        Assert.Null(verdicts.Rejected.Decision);

        // No right trace has the risk low: the teacher wins.
        var path = Assert.Single(pairs, p => p.Step == Step.Path);
        Assert.Equal(Winner.Teacher, path.Winner);
        Assert.Equal((Risk.Low, Decision.Refuse), (path.Chosen.Risk, path.Chosen.Decision));
        Assert.All(pairs, p => Assert.Empty(p.Errors(SmallData.Tokens)));
    }

    [Fact]
    public void The_shortest_right_trace_wins_the_assessment()
    {
        var wordy = Good with { Risk = Risk.Medium, Intent = SmallPairs.Text("Wants help with harm, with harm, with harm, with harm.") };
        var wrong = Good with { Category = "S11" };

        var pair = Assert.Single(Pairs(wordy, Good, wrong), p => p.Step == Step.Assessment);

        Assert.Equal(Good.Until(Step.Assessment), pair.Chosen);
        Assert.Equal("S11", pair.Rejected.Category);
    }

    [Fact]
    public void Only_the_most_frequent_faults_of_a_step_make_pairs()
    {
        var (once, twice, thrice) = (Good with { Category = "S1" }, Good with { Category = "S2" }, Good with { Category = "S3" });

        var rejected = Pairs(Good, once, twice, twice, thrice, thrice, thrice).Where(p => p.Step == Step.Assessment).Select(p => p.Rejected.Category);

        Assert.Equal("S3 S2", string.Join(' ', rejected));
    }

    [Fact]
    public void A_right_but_long_sentence_loses_to_a_right_and_short_one()
    {
        var wordy = Good with { Intent = SmallPairs.Text("So: wants help with some harm.") };

        var pair = Assert.Single(Pairs(Good, wordy), p => p.Step == Step.Intent);

        Assert.Equal("Wants help with harm.", pair.Chosen.Intent!.Text);
        Assert.Equal(wordy.Intent, pair.Rejected.Intent);
        Assert.Equal(Winner.Model, pair.Winner);
    }

    [Fact]
    public void A_wrong_sentence_loses_but_never_to_a_longer_one()
    {
        var wrong = Good with { Intent = SmallPairs.Text("Asks for the capital of Norway, which is far away.") };
        Assert.Equal(wrong.Intent, Assert.Single(Pairs(Good, wrong), p => p.Step == Step.Intent).Rejected.Intent);
        Assert.DoesNotContain(Pairs(Good, Good with { Intent = SmallPairs.Text("my") }), p => p.Step == Step.Intent);
    }

    [Fact]
    public void A_sentence_that_was_cut_off_is_wrong_even_if_it_says_the_right_thing()
    {
        var judge = new SentenceJudge(SmallData.Rows, 0.6);

        Assert.True(judge.IsRight(Step.Intent, SmallData.Rows[0], SmallPairs.Text("wants help with harm")));
        Assert.False(judge.IsRight(Step.Intent, SmallData.Rows[0], SmallPairs.Text("wants help with harm", ended: false)));
    }

    [Fact]
    public void Sentences_that_the_teacher_uses_often_stand_for_each_other()
    {
        var rows = SmallData.Rows.Where(r => r.Trace.Path.Decision == Decision.Answer).ToList();
        var others = rows.Select(r => r with { Trace = r.Trace with { Assessment = r.Trace.Assessment with { Intent = "Curious." } } }).ToList();
        var written = rows[0] with { Trace = rows[0].Trace with { Assessment = rows[0].Trace.Assessment with { Intent = "Baker asks about ovens." } } };
        var judge = new SentenceJudge([.. rows, .. others, written], 0.6);

        Assert.True(judge.IsRight(Step.Intent, rows[0], SmallPairs.Text("Curious.")));
        Assert.False(judge.IsRight(Step.Intent, written, SmallPairs.Text("Curious.")));
    }

    private static List<PreferencePair> Pairs(params SampledTrace[] traces) =>
        [.. new PairMaker(SmallData.Tokens, new SentenceJudge(SmallData.Rows.Take(4), 0.6), new PairOptions()).Of(SmallPairs.Gold(0), traces)];
}
