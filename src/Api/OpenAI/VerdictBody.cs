using System.Text.Json.Serialization;
using SaferGuard.Api.Completions;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.OpenAI;

/// <summary>What OpenAI's shapes have no place for: the judgment, in brief.</summary>
/// <param name="TraceId">The whole judgment is at <c>/v1/traces/{trace_id}</c>.</param>
/// <param name="Categories">Of the policy, those that apply.</param>
/// <param name="CategoryScores">Of each of them, the highest score of its rules.</param>
/// <param name="Rules">The rules that are violated.</param>
/// <param name="Strategy">How to go on. Null in brief traces.</param>
internal sealed record VerdictBody(
    string TraceId,
    Decision Decision,
    DecisionScores Scores,
    Risk Risk,
    IReadOnlyList<string> Categories,
    IReadOnlyDictionary<string, double> CategoryScores,
    IReadOnlyList<ViolatedRule> Rules,
    string? Strategy,
    ModelBody Model,
    PolicyBody Policy)
{
    public static VerdictBody Of(JudgmentBody judgment)
    {
        var (assessment, checks, path) = judgment.Trace;
        return new(
            judgment.Id,
            judgment.Decision,
            judgment.Scores,
            assessment.Risk,
            assessment.Categories,
            assessment.Categories.ToDictionary(category => category, Score),
            [.. checks.Where(check => check.Verdict == Verdict.Violated).Select(check => new ViolatedRule(check.Rule, check.Score, check.Evidence, check.Enforcement))],
            path.Strategy,
            judgment.Model,
            judgment.Policy);

        double Score(string category) =>
            checks.Where(check => check.Rule.StartsWith($"{category}.", StringComparison.Ordinal)).Select(check => check.Score).DefaultIfEmpty().Max();
    }
}

/// <summary>A rule that is violated.</summary>
/// <param name="Score">Calibrated probability that it is.</param>
/// <param name="Evidence">The words that violate it. Null in brief traces.</param>
/// <param name="Enforcement"><c>monitor</c> where the policy only wants the verdict recorded: it did not decide. Absent where it did.</param>
internal sealed record ViolatedRule(
    string Rule, double Score, Evidence? Evidence, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Enforcement Enforcement);
