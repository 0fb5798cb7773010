using System.Diagnostics;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>A bundle's graph without the engine: one prompt, one pass.</summary>
internal sealed class BareSession : IDisposable
{
    private readonly ModelRunner _runner;
    private readonly StepBatch _batch;
    private readonly WordNgrams? _ngrams;
    private readonly int[] _blocks;

    public BareSession(ModelBundle bundle)
    {
        _runner = TokenwiseEngine.Runner(bundle, CompareOptions.Engine);
        _batch = new StepBatch(CompareOptions.Engine, _runner);
        _ngrams = TokenwiseEngine.Ngrams(bundle);
        _blocks = [.. Enumerable.Range(0, CompareOptions.Engine.MaxBatchTokens / _runner.BlockSize)];
    }

    /// <summary>Computes a prompt and the logits behind it.</summary>
    public TimeSpan Prefill(int[] prompt)
    {
        var start = Stopwatch.GetTimestamp();
        var blocks = (prompt.Length + _runner.BlockSize - 1) / _runner.BlockSize;
        var state = default(WordNgrams.State);
        _batch.Clear(blocks);
        _batch.AddQuery(prompt.Length - 1);
        _batch.Add(prompt, 0, _blocks.AsSpan(0, blocks), _ngrams, ref state);
        _runner.Run(_batch);
        return Stopwatch.GetElapsedTime(start);
    }

    public void Dispose() => _runner.Dispose();
}
