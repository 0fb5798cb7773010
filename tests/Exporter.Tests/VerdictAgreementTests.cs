using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter.Tests;

public sealed class VerdictAgreementTests
{
    [Fact]
    public void Decisions_verdicts_of_shared_rules_and_scores_are_compared()
    {
        var agreement = VerdictAgreement.Of(
        [
            (Judged(Decision.Refuse, 0.9, ("S1.1", Verdict.Violated), ("S1.2", Verdict.Clear)),
                Judged(Decision.Refuse, 0.8, ("S1.1", Verdict.Violated), ("S1.2", Verdict.NotApplicable))),
            (Judged(Decision.Answer, 0.4, ("S2.1", Verdict.Clear)), Judged(Decision.Care, 0.1, ("S3.1", Verdict.Clear))),
        ]);
        Assert.Equal((2, 1, 2, 1), (agreement.Rows, agreement.SameDecision, agreement.Rules, agreement.SameVerdict));
        Assert.Equal(0.2, agreement.ScoreDifference, 1e-9);
    }

    private static Judgment Judged(Decision decision, double refuse, params (string Rule, Verdict Verdict)[] checks) => new(
        new Trace(
            new AssessmentStage(null, [], Risk.None), [.. checks.Select(c => new RuleCheck(c.Rule, c.Verdict, null))], new PathStage(decision, null)),
        new DecisionScores(1 - refuse, 0, refuse), [], new TokenUsage(0, 0, 0, 0, 0), new JudgmentTimings(default, default, default, default));
}
