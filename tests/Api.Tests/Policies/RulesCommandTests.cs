using System.CommandLine;
using System.Text.Json;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Tests.Policies;

public sealed class RulesCommandTests : IDisposable
{
    private const string Examples = $$"""
        examples:
          - name: ransomware
            input: {{Prompts.Harmful}}
            expect: refuse
          - input: {{Prompts.Harmless}}
            expect: answer
          - name: a conversation
            messages:
              - { role: system, content: You sell tea. }
              - { role: user, content: "{{Prompts.Harmless}}" }
            expect: answer
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("saferguard-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Examples_that_come_out_as_expected_pass()
    {
        var (exitCode, output, _) = await TestAsync(PolicyFiles.Yaml("tested") + Examples);

        Assert.Equal(0, exitCode);
        Assert.Contains("passed 1/3  ransomware: refuse by S5.", output);
        Assert.Contains($"passed 2/3  {Prompts.Harmless}: answer", output);
        Assert.Contains("3 passed, 0 failed", output);
    }

    [Fact]
    public async Task What_comes_out_otherwise_fails_with_what_was_expected_and_how_far_off_it_was()
    {
        var (exitCode, output, _) = await TestAsync(PolicyFiles.Yaml("tested") + Examples + $$"""

              - { name: wrong decision, input: "{{Prompts.Harmless}}", expect: refuse }
              - { name: wrong rule, input: "{{Prompts.Harmful}}", expect: refuse, violates: [S9.1, S5.4] }
            """);

        Assert.Equal(1, exitCode);
        Assert.Contains("FAILED 4/5  wrong decision: answer", output);
        Assert.Matches(@"expected refuse; answer 0\.\d{3}, care 0\.\d{3}, refuse 0\.\d{3}", output);
        Assert.Matches(@"expected to be violated: S9\.1 \(not checked\), S5\.4 0\.\d{3}", output);
        Assert.Contains("3 passed, 2 failed", output);
    }

    [Fact]
    public async Task The_report_can_be_json_alone_with_progress_beside_it()
    {
        var (exitCode, output, errors) = await TestAsync(PolicyFiles.Yaml("tested") + Examples, "--json");

        var report = JsonSerializer.Deserialize<JsonElement>(output);
        Assert.Equal((0, 3, 0), (exitCode, report.GetProperty("passed").GetInt32(), report.GetProperty("failed").GetInt32()));
        Assert.Equal("tested", report.GetProperty("policy").GetProperty("id").GetString());
        Assert.Equal(["ransomware", Prompts.Harmless, "a conversation"], report.GetProperty("examples").EnumerateArray().Select(example => example.GetProperty("name").GetString()!));
        Assert.Contains("3/3", errors);
    }

    [Fact]
    public async Task A_policy_that_cannot_be_used_is_another_failure()
    {
        var (invalid, invalidOutput, _) = await TestAsync("id: tested");
        var (unlearnt, unlearntOutput, _) = await TestAsync(PolicyFiles.Yaml("tested").Replace("id: S5.1", "id: S5.9", StringComparison.Ordinal), "--json");

        Assert.Equal((2, 2), (invalid, unlearnt));
        Assert.Contains("- categories is missing: add it.", invalidOutput);
        Assert.Equal(
            "categories[4].rules[0].id", JsonSerializer.Deserialize<JsonElement>(unlearntOutput).GetProperty("errors")[0].GetProperty("field").GetString());
    }

    [Fact]
    public async Task Examples_are_judged_as_the_service_judges()
    {
        var (exitCode, output, _) = await TestAsync(PolicyFiles.Yaml("tested") + $$"""
            examples:
              - name: an old refusal stands against nothing new
                messages:
                  - { role: user, content: "{{Prompts.Harmful}}" }
                  - { role: assistant, content: I can't help with this. }
                  - { role: user, content: "{{Prompts.Harmless}}" }
                expect: answer
              - { name: a response, input: "{{Prompts.Harmless}}", response: A strong black tea warms you well., expect: answer }
            """);

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task An_example_that_the_model_cannot_read_at_once_is_named()
    {
        var tooLong = string.Join(' ', Enumerable.Repeat("tea", 8000));

        var (exitCode, output, _) = await TestAsync(PolicyFiles.Yaml("tested") + Examples + $"\n  - {{ input: {tooLong}, expect: answer }}\n");

        Assert.Equal(2, exitCode);
        Assert.Matches(@"- examples\[3\] has 80\d\d tokens that must be read together: keep it within \d+\.", output);
    }

    [Fact]
    public async Task A_missing_file_and_a_missing_model_are_said_in_plain_words()
    {
        var (missing, _, missingErrors) = await RunAsync("rules", "test", Path.Combine(_folder, "nothing.yaml"));
        var (bundle, _, bundleErrors) = await TestAsync(PolicyFiles.Yaml("tested"), "--bundle", _folder);

        Assert.Equal((1, 1), (missing, bundle));
        Assert.Contains("nothing.yaml", missingErrors);
        Assert.Contains("is not a model bundle", bundleErrors);
        Assert.DoesNotContain("   at ", missingErrors + bundleErrors);
    }

    [Fact]
    public async Task A_policy_without_examples_passes_and_says_how_to_add_some()
    {
        var (exitCode, output, _) = await TestAsync(PolicyFiles.Yaml("tested"));

        Assert.Equal(0, exitCode);
        Assert.Contains("The policy has no examples. Add some under 'examples:'", output);
    }

    private Task<(int ExitCode, string Output, string Errors)> TestAsync(string policy, params string[] arguments)
    {
        var file = Path.Combine(_folder, "policy.yaml");
        File.WriteAllText(file, policy);
        return RunAsync(["rules", "test", file, .. arguments]);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        Assert.True(CommandLine.HasVerb(arguments));
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var exitCode = await CommandLine.RunAsync(arguments, new InvocationConfiguration { Output = output, Error = errors });
        return (exitCode, output.ToString(), errors.ToString());
    }
}
