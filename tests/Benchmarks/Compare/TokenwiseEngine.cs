using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Benchmarks.Compare;

/// <param name="Elapsed">For so many passes over all sequences.</param>
/// <param name="AllocatedBytes">Managed bytes that the engine's thread allocated meanwhile.</param>
internal readonly record struct DecodeCost(TimeSpan Elapsed, long AllocatedBytes);

/// <summary>Our engine, made to decode one token a pass.</summary>
internal sealed class TokenwiseEngine(ModelBundle bundle, EngineOptions options) : IAsyncDisposable
{
    /// <summary>Sequences that started a few passes earlier must not end before the last one has been measured.</summary>
    private const int Spare = 16;

    private readonly InferenceEngine _engine = new(Runner(bundle, options), Ngrams(bundle), options, NullLogger.Instance);

    public static ModelRunner Runner(ModelBundle bundle, EngineOptions options) => OnnxModelRunner.Open(bundle.GraphPath, bundle.Config, options);

    public static WordNgrams? Ngrams(ModelBundle bundle) =>
        bundle.Config.SaferguardNgrams is { } config ? new WordNgrams(bundle.Tokenizer, config) : null;

    /// <returns>The tokens that were chosen.</returns>
    public async Task<int[]> RunAsync(int[] prompt, IReadOnlyList<int[]> steps)
    {
        var program = new TokenwiseProgram(prompt, steps);
        await _engine.RunAsync(program, CancellationToken.None);
        return program.Chosen;
    }

    /// <summary>Decodes so many tokens for each of the prompts, side by side. The clock starts when all prompts are computed.</summary>
    public async Task<DecodeCost> DecodeAsync(IReadOnlyList<int[]> prompts, int tokens)
    {
        var steps = SequentialTrace.Free(tokens + Spare);
        var (start, allocated, cost) = (0L, 0L, default(DecodeCost));
        var programs = prompts.Select((prompt, i) => new TokenwiseProgram(prompt, steps, i == prompts.Count - 1 ? Probe : null));
        await Task.WhenAll(programs.Select(program => _engine.RunAsync(program, CancellationToken.None)));
        return cost;

        void Probe(int pass)
        {
            if (pass == 0) (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            if (pass == tokens) cost = new DecodeCost(Stopwatch.GetElapsedTime(start), GC.GetAllocatedBytesForCurrentThread() - allocated);
        }
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
