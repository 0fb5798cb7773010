using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace SaferGuard.Api.Tests.OpenAI;

/// <summary>The <c>openai</c> package for Node, unmodified, with another base address: <c>Node/client.test.mjs</c>.</summary>
public sealed class NodeClientTests(AnsweringService service, ITestOutputHelper output) : IClassFixture<AnsweringService>
{
    [Fact]
    public async Task The_npm_package_works_with_this_service()
    {
        var folder = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "openai")), "The npm package openai is not installed: tests/run installs it.");
        await using var judging = new Service();
        await judging.InitializeAsync();
        await using var broken = new AnsweringService { Settings = { ["Access:KeyCacheTime"] = "00:05:00" } };
        await broken.InitializeAsync();
        broken.LoseStore();

        var start = new ProcessStartInfo("node", ["--test", "--test-reporter=tap", Path.Combine(folder, "client.test.mjs")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["SAFERGUARD_URL"] = service.Address.ToString(), ["SAFERGUARD_JUDGING_URL"] = judging.Address.ToString(),
                ["SAFERGUARD_BROKEN_URL"] = broken.Address.ToString(),
                ["HARMFUL"] = Prompts.Harmful, ["HARMLESS"] = Prompts.Harmless,
            },
        };
        using var node = Process.Start(start)!;
        var errors = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var report = await node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        output.WriteLine(report);
        Assert.True(node.ExitCode == 0, report + await errors);
        Assert.Matches(@"# pass [1-9]", report);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
