using SaferGuard.Api.Operations;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

internal static class WithheldProblem
{
    /// <summary>What ends a stream whose answer was withheld from some point on; null if all of it has left, or nothing.</summary>
    public static ProblemException? Of(StoredJudgment stored)
    {
        if (JudgmentBody.Of(stored) is not CompletionBody { Withheld: { Start: > 0 } withheld } body) return null;
        var rules = body.OutputJudgment?.Trace.RuleCheck.Where(check => check.Verdict == Verdict.Violated).Select(check => check.Rule) ?? [];
        var why = withheld.Reason == WithheldReason.Refused ? $"refused by {string.Join(", ", rules)}" : "stopped by the filter of the model that answers";
        return new(
            Errors.OutputWithheld, $"Do not use what came before without knowing this. The judgment is stored as {stored.Id}.",
            new FieldError("output", $"was {why}; nothing behind character {withheld.Start} has left"))
        { Judged = body };
    }
}
