using System.Diagnostics;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Reasoning.Engine;

/// <summary>What a finished request cost.</summary>
/// <param name="Appended">Tokens of the sequence and its branches, the first chunk included.</param>
/// <param name="Chosen">Those that the model chose one by one.</param>
/// <param name="Cached">Tokens of the first chunk that were not computed again.</param>
/// <param name="Passes">Forward passes that it took part in.</param>
public readonly record struct RequestCost(
    int Appended, int Chosen, int Cached, int Passes, TimeSpan Queue, TimeSpan Prefill, TimeSpan Decode);

/// <summary>One call of the engine: a program's sequence and the branches that it forks into. Touched by the engine's thread only, once submitted.</summary>
internal sealed class EngineRequest(SequenceProgram program, int reservedBlocks, CancellationToken cancellation = default)
{
    private readonly TaskCompletionSource<RequestCost> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _submitted = Stopwatch.GetTimestamp();
    private long _started, _prefilled, _lastPass;
    private int _appended, _chosen, _cached, _passes;

    public SequenceProgram Program => program;

    /// <summary>Blocks set aside at admission for the worst case.</summary>
    public int ReservedBlocks => reservedBlocks;

    /// <summary>It started before one that had waited longer.</summary>
    public bool Overtakes { get; set; }

    /// <summary>Sequences that have not ended.</summary>
    public int LiveSequences { get; set; }

    public Task<RequestCost> Completion => _completion.Task;

    /// <summary>True too when the caller waits no longer: its sequences are then dropped before the next pass.</summary>
    public bool IsDone => _completion.Task.IsCompleted || cancellation.IsCancellationRequested;

    public void Started() => _started = Stopwatch.GetTimestamp();

    public void Appended(Chunk chunk)
    {
        _appended += chunk.Tokens.Length;
        _chosen += chunk.Chosen;
    }

    public void Reused(int tokens)
    {
        if (_prefilled == 0) _cached += tokens;
    }

    /// <param name="pass">Number of the pass; several sequences of a request may take part in one.</param>
    public void Passed(long pass, bool answered)
    {
        if (_lastPass != pass) _passes++;
        _lastPass = pass;
        if (answered && _prefilled == 0) _prefilled = Stopwatch.GetTimestamp();
    }

    public void Complete() => _completion.TrySetResult(new RequestCost(
        _appended, _chosen, _cached, _passes, Stopwatch.GetElapsedTime(_submitted, _started), Stopwatch.GetElapsedTime(_started, _prefilled),
        Stopwatch.GetElapsedTime(_prefilled)));

    /// <summary>Nobody waits for the result any more. Does nothing to a request that has ended.</summary>
    public void Abandon() => _completion.TrySetCanceled();

    public void Fail(Exception fault) => _completion.TrySetException(fault);
}
