using SaferGuard.Api.Completions;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.OpenAI;

/// <summary>OpenAI's categories, and which rules of the policy speak of the same. Rules on privacy, misinformation, advice and the guard itself have none.</summary>
internal static class ModerationCategories
{
    private static readonly IReadOnlyList<string> s_text = ["text"];

    private static readonly (string Category, string[] Rules)[] s_rules =
    [
        ("harassment", ["S7.1", "S7.2", "S7.3"]),
        ("harassment/threatening", ["S7.2"]),
        ("hate", ["S6.1", "S6.2", "S6.3"]),
        ("hate/threatening", ["S6.2"]),
        ("illicit", ["S2.1", "S2.2", "S2.3", "S3.1", "S3.2", "S3.3", "S4.1", "S4.2", "S4.3", "S5.1", "S5.2", "S5.3"]),
        ("illicit/violent", ["S1.1", "S1.2", "S2.1", "S2.2", "S2.3"]),
        ("self-harm", ["S8.1", "S8.2", "S8.3", "S8.4"]),
        ("self-harm/instructions", ["S8.1"]),
        ("self-harm/intent", ["S8.3", "S8.4"]),
        ("sexual", ["S9.1", "S9.2", "S9.3", "S10.1"]),
        ("sexual/minors", ["S10.1", "S10.2"]),
        ("violence", ["S1.1", "S1.2", "S1.3", "S10.3"]),
        ("violence/graphic", []),
    ];

    public static Moderation Of(JudgmentBody judgment)
    {
        var flagged = judgment.Decision == Decision.Refuse;
        var checks = judgment.Trace?.RuleCheck ?? [];
        return new(
            flagged,
            s_rules.ToDictionary(entry => entry.Category, entry => flagged && Of(entry.Rules).Any(IsAgainst)),
            s_rules.ToDictionary(entry => entry.Category, entry => Of(entry.Rules).Select(check => check.Score).DefaultIfEmpty().Max()),
            s_rules.ToDictionary(entry => entry.Category, _ => s_text),
            VerdictBody.Of(judgment));

        IEnumerable<RuleCheckBody> Of(string[] rules) => checks.Where(check => rules.Contains(check.Rule));
        static bool IsAgainst(RuleCheckBody check) => check is { Verdict: Verdict.Violated, Enforcement: Enforcement.Enforce };
    }
}
