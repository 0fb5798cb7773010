using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>Evidence that was found in a part of a conversation, told where it stands in the whole.</summary>
internal static class Relocation
{
    /// <param name="turns">Turn i of the part is turn <paramref name="turns"/>[i] of the whole.</param>
    /// <param name="offset">Where the part's text begins in its turn.</param>
    public static Judgment Relocate(this Judgment judgment, IReadOnlyList<int> turns, int offset = 0) =>
        judgment with { Trace = judgment.Trace with { RuleChecks = Relocate(judgment.Trace.RuleChecks, turns, offset) } };

    public static TraceStage Relocate(this TraceStage stage, IReadOnlyList<int> turns, int offset = 0) =>
        stage is TraceStage.RulesChecked rules ? rules with { Checks = Relocate(rules.Checks, turns, offset) } : stage;

    private static IReadOnlyList<RuleCheck> Relocate(IReadOnlyList<RuleCheck> checks, IReadOnlyList<int> turns, int offset) =>
        [.. checks.Select(check => check.Evidence is not { } found ? check : check with
        {
            Evidence = found with { Start = found.Start + offset, End = found.End + offset, Turn = turns[found.Turn] },
        })];
}
