using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Traces;

/// <summary>
/// The trace format, stated once for grammar, parser, writer and training. Tokens in angle bars are special tokens; user text never becomes one.
/// <code>
/// pass 1   {conversation} ASSESS CATEGORIES RISK          query tokens: read the first impression, the categories, the risk
/// pass 2   risk  ( C5 R1 ? R2 ? R3 ? )...                 one block per chosen category; a query token ? behind each rule. For models that read
///                                                         rules, the texts come first, once for each category:  ( C5 R1 text R2 text R3 text )...
///          or, when no category applies:  risk C0 PATH
/// pass 3   VERDICTS verdict... PATH                        the decided verdicts in order; the decision is read at PATH
/// then, full traces only, after the decision token, branches that do not see each other:
///          INTENT sentence END | EVIDENCE C5 R2 span END (one per violated rule) | STRATEGY sentence END
/// </code>
/// Everything is decided before anything is explained, so a verdict never depends on the trace level that was asked for,
/// and the explanations can be decoded side by side on one shared prefix.
/// </summary>
public static class TraceFormat
{
    public const string Pad = "<|pad|>";
    public const string Mask = "<|mask|>";
    public const string System = "<|system|>";
    public const string User = "<|user|>";
    public const string Assistant = "<|assistant|>";
    public const string Tool = "<|tool|>";
    public const string End = "<|end|>";

    /// <summary>Starts a trace over the request; read: the first impression of the decision.</summary>
    public const string Assess = "<|assess|>";

    /// <summary>Starts a trace over the last assistant message.</summary>
    public const string AssessResponse = "<|assess_response|>";
    public const string Categories = "<|categories|>";
    public const string RiskQuery = "<|risk|>";
    public const string Query = "<|?|>";
    public const string Verdicts = "<|verdicts|>";
    public const string Path = "<|path|>";
    public const string Intent = "<|intent|>";
    public const string EvidenceStart = "<|evidence|>";
    public const string Strategy = "<|strategy|>";

    /// <summary>The most categories that one trace verifies.</summary>
    public const int MaxChosenCategories = 3;

    /// <summary>The most tokens of a sentence, without <see cref="End"/>. An evidence span goes on to the end of its character.</summary>
    public const int MaxSentenceTokens = 32;

    /// <summary>Slot token of a category: 0 for "no category", otherwise 1 + its position in the policy.</summary>
    public static string CategorySlot(int slot) => $"<|c{slot}|>";

    /// <summary>Slot token of a rule: 1 + its position in the category.</summary>
    public static string RuleSlot(int slot) => $"<|r{slot}|>";

    public static string Token(Risk risk) => risk switch
    {
        Traces.Risk.None => "<|none|>",
        Traces.Risk.Low => "<|low|>",
        Traces.Risk.Medium => "<|medium|>",
        _ => "<|high|>",
    };

    public static string Token(Verdict verdict) => verdict switch
    {
        Verdict.Violated => "<|violated|>",
        Verdict.Clear => "<|clear|>",
        _ => "<|not_applicable|>",
    };

    public static string Token(Decision decision) => decision switch
    {
        Decision.Answer => "<|answer|>",
        Decision.Care => "<|care|>",
        _ => "<|refuse|>",
    };

    public static string Token(Role role) => role switch
    {
        Role.System => System,
        Role.User => User,
        Role.Assistant => Assistant,
        _ => Tool,
    };

    public static string Token(Subject subject) => subject == Subject.Prompt ? Assess : AssessResponse;

    /// <summary>Every special token, in the order of their ids in tokenisers that this project trains (from 0).</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } =
    [
        Pad, Mask, System, User, Assistant, Tool, End,
        Assess, AssessResponse, Categories, RiskQuery, Query, Verdicts, Path, Intent, EvidenceStart, Strategy,
        .. Enum.GetValues<Risk>().Select(Token),
        .. Enum.GetValues<Verdict>().Select(Token),
        .. Enum.GetValues<Decision>().Select(Token),
        .. Enumerable.Range(0, Policy.MaxCategories + 1).Select(CategorySlot),
        .. Enumerable.Range(1, Policy.MaxRulesPerCategory).Select(RuleSlot),
    ];
}
