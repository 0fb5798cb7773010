namespace SaferGuard.Client;

/// <summary>The three stages of a judgment, in the order in which they were decided.</summary>
/// <param name="RuleCheck">Every rule of the chosen categories, in the policy's order. Empty when no category applies.</param>
public sealed record Trace(AssessmentStage Assessment, IReadOnlyList<RuleCheck> RuleCheck, PathStage Path);

/// <summary>Stage 1: what is asked, and which categories of the policy apply.</summary>
/// <param name="Intent">Null in brief traces.</param>
/// <param name="Categories">Empty when no category applies.</param>
public sealed record AssessmentStage(string? Intent, IReadOnlyList<string> Categories, Risk Risk);

/// <summary>Stage 2, one entry of it: what was found for one rule.</summary>
/// <param name="Rule">Id of the rule, for example <c>S5.2</c>.</param>
/// <param name="Score">Calibrated probability that the rule is violated, whatever the verdict says.</param>
/// <param name="Evidence">The words that violate the rule. Null for other verdicts and in brief traces.</param>
public sealed record RuleCheck(string Rule, Verdict Verdict, double Score, Evidence? Evidence);

/// <summary>The words that violate a rule, verbatim; <paramref name="Start"/> and <paramref name="End"/> are UTF-16 offsets in that turn.</summary>
public sealed record Evidence(string Text, int Start, int End, int Turn);

/// <summary>Stage 3: the decision and how to go on.</summary>
/// <param name="Strategy">Null in brief traces.</param>
public sealed record PathStage(Decision Decision, string? Strategy);

/// <summary>What was found for a rule.</summary>
public enum Verdict
{
    Violated,
    Clear,
    NotApplicable,
}

/// <summary>How much harm could follow.</summary>
public enum Risk
{
    None,
    Low,
    Medium,
    High,
}
