using System.Text;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

internal static class Refusal
{
    /// <summary>Tells the user in plain words which rules stand against an answer.</summary>
    public static string Write(Trace trace, Policy policy)
    {
        var text = new StringBuilder("I can't help with this. The rules that I follow say:");
        var against = RulesAgainst(trace, policy);
        foreach (var category in policy.Categories)
        {
            foreach (var rule in category.Rules.Where(rule => against.Contains(rule.Id)))
            {
                text.Append($"\n- {category.Name}, rule {rule.Id}: {rule.Text}");
            }
        }

        return text.ToString();
    }

    /// <summary>The ids of the rules that stand against an answer.</summary>
    public static IReadOnlyCollection<string> RulesAgainst(Trace trace, Policy policy) =>
    [
        .. trace.RuleChecks
            .Where(check => check is { Verdict: Verdict.Violated, Enforcement: Enforcement.Enforce } && policy.TryGetRule(check.Rule, out var rule) && rule.Effect == RuleEffect.Refuse)
            .Select(check => check.Rule),
    ];
}
