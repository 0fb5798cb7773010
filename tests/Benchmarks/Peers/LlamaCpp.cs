using System.Diagnostics;
using System.Text.Json;

namespace SaferGuard.Benchmarks.Peers;

/// <summary>llama.cpp through node-llama-cpp, in a process of its own (<c>peer.mjs</c>).</summary>
internal sealed class LlamaCpp : IDisposable
{
    private const string Script = "peer.mjs";
    private const string Package = "package.json";

    private static readonly string Sources = Path.Combine(Repository.Root, "tests", "Benchmarks", "Peers");

    private readonly Process _process;

    private LlamaCpp(Process process) => _process = process;

    public static async Task<string> VersionAsync()
    {
        using var package = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(Sources, Package)));
        var version = package.RootElement.GetProperty("dependencies").GetProperty("node-llama-cpp").GetString();
        return $"node-llama-cpp {version} on Node {await ChildProcess.RunAsync("node", ["--version"])}";
    }

    /// <summary>Installs the package into a folder where it is missing, and starts the peer.</summary>
    public static async Task<LlamaCpp> StartAsync(string folder, int mostThreads)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { Script, Package }) File.Copy(Path.Combine(Sources, file), Path.Combine(folder, file), overwrite: true);
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "node-llama-cpp")))
            await ChildProcess.RunAsync("npm", ["install", "--no-audit", "--no-fund"], folder);
        return new LlamaCpp(Process.Start(new ProcessStartInfo("node", [Script, $"{mostThreads}"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!);
    }

    /// <summary>Loads a model with room for so many sequences.</summary>
    public Task LoadAsync(string gguf, int sequences, int contextTokens, int threads) =>
        AskAsync(new { operation = "load", path = gguf, count = sequences, contextTokens, threads });

    /// <summary>Callers take prompts in turn for so long, each at least one, and get so many tokens for each.</summary>
    public async Task<Round> AnswerAsync(IReadOnlyList<int[]> prompts, int callers, TimeSpan duration, int tokens, string? grammar)
    {
        var reply = await AskAsync(new { operation = "answer", prompts, callers, duration = duration.TotalMilliseconds, tokens, grammar });
        return new Round(Elapsed(reply), reply.GetProperty("latencies").Deserialize<double[]>()!);
    }

    /// <summary>The likeliest tokens behind a prompt.</summary>
    public async Task<int[]> ContinueAsync(int[] prompt, int tokens) =>
        (await AskAsync(new { operation = "continue", prompt, tokens })).GetProperty("output").Deserialize<int[]>()!;

    /// <summary>Computes a prompt and the token behind it.</summary>
    public async Task<TimeSpan> PrefillAsync(int[] prompt) => Elapsed(await AskAsync(new { operation = "continue", prompt, tokens = 1 }));

    /// <summary>Decodes so many tokens for each of the prompts, side by side. The prompts are computed before the clock starts.</summary>
    public async Task<TimeSpan> DecodeAsync(IReadOnlyList<int[]> prompts, int tokens) =>
        Elapsed(await AskAsync(new { operation = "decode", prompts, tokens }));

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        _process.Dispose();
    }

    private static TimeSpan Elapsed(JsonElement reply) => TimeSpan.FromMilliseconds(reply.GetProperty("elapsed").GetDouble());

    private async Task<JsonElement> AskAsync<T>(T request)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(request));
        await _process.StandardInput.FlushAsync();
        var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The peer has ended.");
        var reply = JsonSerializer.Deserialize<JsonElement>(line);
        return reply.TryGetProperty("error", out var error) ? throw new InvalidOperationException($"The peer failed: {error}") : reply;
    }
}
