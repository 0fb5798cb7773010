using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Examples;

/// <summary>What became of one example.</summary>
/// <param name="Violated">Rules that were found violated.</param>
/// <param name="Missing">Rules that were expected to be, and were not.</param>
internal sealed record ExampleResult(
    string Name, bool Passed, Decision Expected, Decision Decision, DecisionScores Scores, IReadOnlyList<RuleScore> Violated, IReadOnlyList<RuleScore> Missing)
{
    public static ExampleResult Of(PolicyExample example, Judgment judgment)
    {
        var checks = judgment.Trace.RuleChecks.Zip(judgment.RuleScores).ToList();
        var violated = checks.Where(check => check.First.Verdict == Verdict.Violated).Select(check => new RuleScore(check.First.Rule, check.Second)).ToList();
        var missing = example.Violates.Except(violated.Select(rule => rule.Rule))
            .Select(rule => new RuleScore(rule, checks.Where(check => check.First.Rule == rule).Select(check => (double?)check.Second).FirstOrDefault()))
            .ToList();
        var decision = judgment.Trace.Path.Decision;
        return new(example.Name, decision == example.Expect && missing.Count == 0, example.Expect, decision, judgment.Scores, violated, missing);
    }
}

/// <param name="Score">Calibrated probability that the rule is violated; null where it was not checked.</param>
internal sealed record RuleScore(string Rule, double? Score);

/// <summary>What became of all examples of a policy.</summary>
/// <param name="Object"><c>rules_test</c>.</param>
internal sealed record ExampleReport(
    string Object, ModelBody Model, PolicyBody Policy, int Passed, int Failed, double Seconds, IReadOnlyList<ExampleResult> Examples);

/// <summary>Why a policy's examples could not be run.</summary>
/// <param name="Object"><c>rules_test</c>.</param>
internal sealed record InvalidPolicyReport(string Object, IReadOnlyList<FieldError> Errors);
