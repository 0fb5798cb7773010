using System.CommandLine;
using System.Diagnostics;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Conversations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies.Examples;

/// <summary>The verb <c>rules</c>: tests a policy by its own examples, as unit tests test code.</summary>
internal static class RulesCommand
{
    /// <summary>Exit codes beside 0: an example went wrong; the policy could not be used at all.</summary>
    public const int Failed = 1, Unusable = 2;

    public static Command Create()
    {
        var file = new Argument<string>("policy") { Description = "Policy file, YAML or JSON." };
        var bundle = new Option<string?>("--bundle") { Description = "Folder of the model bundle that judges; the bundled model without it." };
        var point = new Option<OperatingPoint?>("--operating-point") { Description = "Judge at this point, not at the policy's." };
        var json = new Option<bool>("--json") { Description = "Write one JSON object, and progress to standard error." };
        var test = new Command(
            "test",
            $"Run the examples of a policy file. Exit code 0: all passed; {Failed}: some did not; {Unusable}: the policy is not valid, or not for this model.")
        {
            file, bundle, point, json,
        };
        test.SetAction((parsed, cancellation) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            ExampleWriter writer = parsed.GetValue(json) ? new JsonExampleWriter(output, error) : new TextExampleWriter(output);
            return TestAsync(parsed.GetRequiredValue(file), parsed.GetValue(bundle), parsed.GetValue(point), writer, cancellation);
        });
        return new Command("rules", "Work on policy files.") { test };
    }

    private static async Task<int> TestAsync(string file, string? bundle, OperatingPoint? point, ExampleWriter writer, CancellationToken cancellation)
    {
        var errors = PolicyReader.TryRead(await File.ReadAllBytesAsync(file, cancellation), out var policy);
        if (policy is null) return Refuse(errors);

        var folder = new ModelOptions { Path = bundle }.Folder(Directory.GetCurrentDirectory());
        await using var guard = Guard.Load(folder, new EngineOptions());
        if (point is { } asked && !guard.OperatingPoints.Contains(asked))
            return Refuse([new("--operating-point", $"is '{asked}', which the model '{guard.Model.Id}' does not have", "choose another")]);
        errors = guard.TryCompile(policy, out var compiled);
        if (compiled is null) return Refuse(errors);

        var started = Stopwatch.GetTimestamp();
        var results = new List<ExampleResult>();
        writer.Start(guard.Model, policy);
        try
        {
            await foreach (var result in new ExampleRun(guard, compiled, point, new WindowOptions()).RunAsync(cancellation))
            {
                results.Add(result);
                writer.Add(result, results.Count, policy.Examples.Count);
            }
        }
        catch (PromptTooLongException tooLong)
        {
            return Refuse([new($"examples[{results.Count}]", $"has {tooLong.Tokens} tokens that must be read together", $"keep it within {tooLong.Limit}")]);
        }

        var failed = results.Count(result => !result.Passed);
        writer.End(new(
            "rules_test", new(guard.Model.Id, guard.Model.Digest), new(policy.Id, policy.Version, policy.Digest), results.Count - failed, failed,
            Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3), results));
        return failed == 0 ? 0 : Failed;

        int Refuse(IReadOnlyList<PolicyError> faults)
        {
            writer.Refuse(file, faults);
            return Unusable;
        }
    }
}
