using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using SaferGuard.Api.Tests;

namespace SaferGuard.Client.Tests;

/// <summary>The sample, run as its users run it: with the real service and an OpenAI-compatible model.</summary>
public sealed class SampleTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task The_sample_answers_what_is_harmless_and_refuses_what_is_not()
    {
        var asked = 0;
        await using var model = Model(() => asked++);
        await model.StartAsync(TestContext.Current.CancellationToken);

        var answered = await RunAsync(model.Urls.First(), Prompts.Harmless);
        var refused = await RunAsync(model.Urls.First(), Prompts.Harmful);

        Assert.Equal("stop: Green tea.", answered);
        Assert.StartsWith("content_filter: I can't help with this.", refused);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task The_readme_shows_the_sample()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SaferGuard.sln"))) folder = folder.Parent!;
        var sample = await File.ReadAllTextAsync(Path.Combine(folder.FullName, "samples", "ChatClient", "Program.cs"), TestContext.Current.CancellationToken);

        Assert.Contains(sample, await File.ReadAllTextAsync(Path.Combine(folder.FullName, "src", "Client", "README.md"), TestContext.Current.CancellationToken));
    }

    private static WebApplication Model(Action asked)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(http =>
        {
            asked();
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync("""
                {"id": "c1", "object": "chat.completion", "created": 1795543297, "model": "qwen3",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "Green tea."}, "finish_reason": "stop"}]}
                """);
        });
        return server;
    }

    private async Task<string> RunAsync(string model, string prompt)
    {
        var sample = Path.Combine(AppContext.BaseDirectory, "SaferGuard.ChatClient.dll");
        var start = new ProcessStartInfo("dotnet", [sample, service.Client.BaseAddress!.ToString(), $"{model}/v1", prompt]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
