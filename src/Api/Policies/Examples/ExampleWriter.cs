using System.Globalization;
using System.Text.Json;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies.Examples;

/// <summary>Tells what becomes of the examples of a policy.</summary>
internal abstract class ExampleWriter
{
    public abstract void Start(BundleManifest model, Policy policy);

    /// <param name="number">Counts from 1.</param>
    public abstract void Add(ExampleResult result, int number, int total);

    public abstract void End(ExampleReport report);

    /// <summary>The policy cannot be used.</summary>
    public abstract void Refuse(string file, IReadOnlyList<PolicyError> errors);
}

/// <summary>A line for each example as soon as it is known, then the count.</summary>
internal sealed class TextExampleWriter(TextWriter output) : ExampleWriter
{
    public override void Start(BundleManifest model, Policy policy)
    {
        output.WriteLine($"Policy {policy.Id} {policy.Version} ({policy.Digest})");
        output.WriteLine($"Model  {model.Id} ({model.Digest})");
        output.WriteLine();
        if (policy.Examples.Count == 0) output.WriteLine("The policy has no examples. Add some under 'examples:', each with input (or messages) and expect.");
    }

    public override void Add(ExampleResult result, int number, int total)
    {
        var width = total.ToString(CultureInfo.InvariantCulture).Length;
        var place = string.Create(CultureInfo.InvariantCulture, $"{number.ToString(CultureInfo.InvariantCulture).PadLeft(width)}/{total}");
        var found = result.Violated.Count == 0 ? "" : $" by {string.Join(", ", result.Violated.Select(Scored))}";
        output.WriteLine($"{(result.Passed ? "passed" : "FAILED")} {place}  {result.Name}: {Name(result.Decision)}{found}");
        if (result.Passed) return;
        if (result.Decision != result.Expected)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"       expected {Name(result.Expected)}; answer {result.Scores.Answer:0.000}, care {result.Scores.Care:0.000}, refuse {result.Scores.Refuse:0.000}"));
        }

        if (result.Missing.Count > 0) output.WriteLine($"       expected to be violated: {string.Join(", ", result.Missing.Select(Scored))}");
    }

    public override void End(ExampleReport report)
    {
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Passed} passed, {report.Failed} failed in {report.Seconds:0.0} s"));
    }

    public override void Refuse(string file, IReadOnlyList<PolicyError> errors)
    {
        output.WriteLine($"{file} cannot be used:");
        foreach (var error in errors) output.WriteLine($"- {error}");
    }

    private static string Scored(RuleScore rule) => rule.Score is { } score
        ? string.Create(CultureInfo.InvariantCulture, $"{rule.Rule} {score:0.000}")
        : $"{rule.Rule} (not checked)";

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}

/// <summary>One JSON object at the end; progress goes elsewhere.</summary>
internal sealed class JsonExampleWriter(TextWriter output, TextWriter progress) : ExampleWriter
{
    private const int Step = 100;

    public override void Start(BundleManifest model, Policy policy)
    {
    }

    public override void Add(ExampleResult result, int number, int total)
    {
        if (number % Step == 0 || number == total) progress.WriteLine($"{number}/{total}");
    }

    public override void End(ExampleReport report) => output.WriteLine(JsonSerializer.Serialize(report, ApiJson.Body.ExampleReport));

    public override void Refuse(string file, IReadOnlyList<PolicyError> errors) => output.WriteLine(JsonSerializer.Serialize(
        new InvalidPolicyReport("rules_test", [.. errors.Select(error => new FieldError(error.Path, $"{error.Fault}: {error.Mend}"))]),
        ApiJson.Body.InvalidPolicyReport));
}
