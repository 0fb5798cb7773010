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
        foreach (var category in policy.Categories)
        {
            foreach (var rule in category.Rules.Where(rule => rule.Effect == RuleEffect.Refuse && IsViolated(rule)))
            {
                text.Append($"\n- {category.Name}, rule {rule.Id}: {rule.Text}");
            }
        }

        return text.ToString();

        bool IsViolated(Rule rule) => trace.RuleChecks.Any(check => check.Rule == rule.Id && check.Verdict == Verdict.Violated);
    }
}
