using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Traces;

/// <summary>Which decisions follow from the verdicts: a refusal needs a violated refusing rule, a plain answer needs that none is violated.</summary>
public static class Consistency
{
    public static bool Allows(Decision decision, IEnumerable<(RuleEffect Effect, Verdict Verdict)> found) => decision switch
    {
        Decision.Refuse => found.Any(f => f is { Verdict: Verdict.Violated, Effect: RuleEffect.Refuse }),
        Decision.Answer => found.All(f => f.Verdict != Verdict.Violated),
        _ => true,
    };

    /// <summary>The same by the rules of a policy: those that are only monitored allow and forbid nothing.</summary>
    public static bool Allows(Decision decision, IEnumerable<(Rule Rule, Verdict Verdict)> found) =>
        Allows(decision, found.Where(f => f.Rule.Decides).Select(f => (f.Rule.Effect, f.Verdict)));
}
