using System.Text.Json.Serialization;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Failures;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.OpenAI;

/// <summary>What OpenAI's shapes have no place for: the judgment, in brief.</summary>
/// <param name="TraceId">The whole judgment is at <c>/v1/traces/{trace_id}</c>.</param>
/// <param name="Categories">Of the policy, those that apply.</param>
/// <param name="CategoryScores">Of each of them, the highest score of its rules.</param>
/// <param name="Rules">The rules that are violated.</param>
/// <param name="Strategy">How to go on. Null in brief traces.</param>
/// <param name="Output">The judgment of the answer. Absent where there is none.</param>
/// <param name="Degraded">What the guard could not do and the configuration lets pass. Absent when nothing was left out; decision and scores are null when it is the prompt.</param>
internal sealed record VerdictBody(
    string TraceId,
    Decision? Decision,
    DecisionScores? Scores,
    Risk? Risk,
    IReadOnlyList<string> Categories,
    IReadOnlyDictionary<string, double> CategoryScores,
    IReadOnlyList<ViolatedRule> Rules,
    string? Strategy,
    ModelBody Model,
    PolicyBody Policy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OutputVerdict? Output,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Degradation>? Degraded)
{
    public static VerdictBody Of(JudgmentBody judgment)
    {
        var categories = judgment.Trace?.Assessment.Categories ?? [];
        var checks = judgment.Trace?.RuleCheck ?? [];
        return new(
            judgment.Id,
            judgment.Decision,
            judgment.Scores,
            judgment.Trace?.Assessment.Risk,
            categories,
            categories.ToDictionary(category => category, Score),
            ViolatedRule.Of(checks),
            judgment.Trace?.Path.Strategy,
            judgment.Model,
            judgment.Policy,
            (judgment as CompletionBody)?.OutputJudgment is { } output ? new(output.Decision, ViolatedRule.Of(output.Trace.RuleCheck)) : null,
            judgment.Degraded);

        double Score(string category) =>
            checks.Where(check => check.Rule.StartsWith($"{category}.", StringComparison.Ordinal)).Select(check => check.Score).DefaultIfEmpty().Max();
    }
}

/// <summary>A rule that is violated.</summary>
/// <param name="Score">Calibrated probability that it is.</param>
/// <param name="Evidence">The words that violate it. Null in brief traces.</param>
/// <param name="Enforcement"><c>monitor</c> where the policy only wants the verdict recorded: it did not decide. Absent where it did.</param>
internal sealed record ViolatedRule(
    string Rule, double Score, Evidence? Evidence, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Enforcement Enforcement)
{
    public static IReadOnlyList<ViolatedRule> Of(IReadOnlyList<RuleCheckBody> checks) =>
        [.. checks.Where(check => check.Verdict == Verdict.Violated).Select(check => new ViolatedRule(check.Rule, check.Score, check.Evidence, check.Enforcement))];
}

/// <summary>The judgment of an answer, in brief.</summary>
/// <param name="Rules">The rules that it violates.</param>
internal sealed record OutputVerdict(Decision Decision, IReadOnlyList<ViolatedRule> Rules);
