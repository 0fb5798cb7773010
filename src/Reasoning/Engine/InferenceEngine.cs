using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Runs many sequence programs at once on one model, on a thread of its own: plan → reserve → run → advance, over and over (continuous batching).
/// </summary>
public sealed class InferenceEngine : IAsyncDisposable
{
    private readonly ModelRunner _runner;
    private readonly WordNgrams? _ngrams;
    private readonly EngineOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly KvBlocks _blocks;
    private readonly PrefixCache _prefixes;
    private readonly Admission _admission;
    private readonly StepPlan _plan;
    private readonly StepBatch _batch;
    private readonly EngineTelemetry _telemetry;
    private readonly ConcurrentQueue<EngineRequest> _submitted = new();
    private readonly List<Sequence> _running = [];
    private readonly List<EngineRequest> _ended = []; // in this step
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;
    private long _passes, _computedTokens, _queriedTokens, _cachedTokens;
    private int _runningRequests;
    private int _active;
    private volatile Exception? _fault;
    private Task? _disposing;

    /// <exception cref="ArgumentException">The options are out of range, or need n-grams that are missing.</exception>
    public InferenceEngine(
        ModelRunner runner, WordNgrams? ngrams, EngineOptions options, ILogger logger, TimeProvider? time = null, IMeterFactory? meters = null)
    {
        var errors = options.Errors().ToList();
        if (errors.Count > 0) throw new ArgumentException(string.Join(" ", errors), nameof(options));
        if (runner.NgramOrders != (ngrams?.Orders ?? 0)) throw new ArgumentException("The model and the n-grams disagree.", nameof(ngrams));
        (_runner, _ngrams, _options, _logger, _time) = (runner, ngrams, options, logger, time ?? TimeProvider.System);
        var index = new PrefixIndex(runner.BlockCount, runner.BlockSize);
        _blocks = new KvBlocks(runner.BlockCount, runner.BlockSize, index, options.PrefixCacheTokens / runner.BlockSize);
        _prefixes = new PrefixCache(options.PrefixCacheTokens > 0, index, _blocks, runner, ngrams);
        _admission = new Admission(runner.BlockCount, options.MaxChunkTokens);
        _plan = new StepPlan(options);
        _batch = new StepBatch(options, runner);
        _telemetry = new EngineTelemetry(runner.BlockCount, meters);
        _thread = new Thread(Loop) { IsBackground = true, Name = "saferguard-engine" };
        _thread.Start();
    }

    /// <summary>False once a forward pass has failed: the engine then takes no more requests.</summary>
    public bool IsHealthy => _fault is null && !_stopping.IsCancellationRequested;

    /// <summary>Blocks of the key/value pool that no sequence holds.</summary>
    public int FreeBlocks => _blocks.Unused;

    /// <summary>What the engine had done and held after its latest pass.</summary>
    public EngineStatistics Statistics => _telemetry.Latest;

    /// <summary>
    /// Runs a program to its end. Cancellation, and the end of <see cref="EngineOptions.RequestTimeout"/>, free its memory before the next pass.
    /// </summary>
    /// <exception cref="EngineUnavailableException">The queue is full, the request can never fit, or the engine has stopped.</exception>
    /// <exception cref="EngineTimeoutException">The request was not finished in time.</exception>
    public async Task<RequestCost> RunAsync(SequenceProgram program, CancellationToken cancellation)
    {
        RequireFit(program.Start);
        if (!IsHealthy) throw Stopped();
        var request = new EngineRequest(program, WorstCaseBlocks(program), cancellation);
        if (Interlocked.Increment(ref _active) > _options.MaxQueuedRequests)
        {
            Interlocked.Decrement(ref _active);
            throw new EngineUnavailableException("The queue of the engine is full.");
        }

        try
        {
            _submitted.Enqueue(request);
            _wake.Release();
            if (!IsHealthy) request.Fail(Stopped());
            return await request.Completion.WaitAsync(_options.RequestTimeout, _time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new EngineTimeoutException(_options.RequestTimeout);
        }
        finally
        {
            if (!request.Completion.IsCompleted)
            {
                request.Abandon();
                _wake.Release();
            }

            Interlocked.Decrement(ref _active);
        }
    }

    /// <summary>Stops the engine; requests that have not ended fail.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_stopping) return new(_disposing ??= StopAsync());

        async Task StopAsync()
        {
            await _stopping.CancelAsync();
            _wake.Release();
            await Task.Run(_thread.Join);
            _runner.Dispose();
            _telemetry.Dispose();
        }
    }

    private EngineUnavailableException Stopped() => new("The engine has stopped.", _fault);

    private void Loop()
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                if (!Step()) _wake.Wait(_stopping.Token);
            }

            FailAll(Stopped());
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            FailAll(Stopped());
        }
        catch (Exception e)
        {
            _fault = e;
            FailAll(new EngineUnavailableException("The engine has failed.", e));
            _logger.LogCritical(e, "The engine has failed and takes no more requests.");
        }
    }

    /// <summary>A chunk's queries are computed in one pass, with all that follows the first of them.</summary>
    private void RequireFit(Chunk chunk)
    {
        if (chunk.Tokens.Length - chunk.Queries[0] > _options.MaxBatchTokens || chunk.Queries.Length > _options.MaxBatchQueries)
            throw new EngineUnavailableException($"A chunk with {chunk.Queries.Length} queries can never fit into a pass of this engine.");
    }

    /// <summary>Blocks of a program that grows as far as it may. A branch copies the block in which it starts.</summary>
    private int WorstCaseBlocks(SequenceProgram program)
    {
        var (tokens, branches, branchTokens) = program.Growth;
        if (tokens < 0 || branches < 0 || branchTokens < 0) throw new ArgumentException("A program cannot shrink.", nameof(program));
        var start = program.Start.Tokens.Length;
        return start <= LongestStart(program.Growth)
            ? _blocks.For(start + tokens) + branches * (_blocks.For(branchTokens) + 1)
            : throw new EngineUnavailableException($"A request of {start} tokens can never fit into this engine.");
    }

    /// <summary>The most tokens that the first chunk of a program may have.</summary>
    public int LongestStart(Growth growth) => Math.Min(
        _runner.MaxPositions - growth.Tokens - growth.BranchTokens,
        (_blocks.Count - growth.Branches * (_blocks.For(growth.BranchTokens) + 1)) * _blocks.BlockSize - growth.Tokens);

    /// <returns>False if there was nothing to do.</returns>
    private bool Step()
    {
        var start = Stopwatch.GetTimestamp();
        DropAbandoned();
        Admit();
        ReusePrefixes();
        _plan.Make(_running);
        if (_plan.Entries.IsEmpty)
        {
            _telemetry.Idle(Now());
            return false;
        }

        if (TryPrepare())
        {
            _runner.Run(_batch);
            _passes++;
            _computedTokens += _batch.Tokens;
            Advance();
            _telemetry.Passed(Now(), _batch.Tokens, start);
            foreach (var request in _ended) request.Complete();
            _ended.Clear();
        }

        return true;
    }

    private EngineStatistics Now() => new(
        _passes, _computedTokens, _queriedTokens, _cachedTokens, GC.GetAllocatedBytesForCurrentThread(), _runningRequests, _admission.Waiting,
        _blocks.Count - _blocks.Unused, _blocks.Kept);

    private void DropAbandoned()
    {
        for (var i = _running.Count - 1; i >= 0; i--)
            if (_running[i].Request.IsDone) Remove(_running[i]);
        _admission.DropAbandoned();
    }

    private void Admit()
    {
        while (_submitted.TryDequeue(out var submitted)) _admission.Enqueue(submitted);
        while (_admission.Next() is { } request)
        {
            request.Started();
            _runningRequests++;
            _queriedTokens += request.Program.Start.Tokens.Length;
            Add(new Sequence(request, _blocks.BlockSize));
        }
    }

    /// <summary>Before each pass, since those that run may have computed in the last one what others wait for.</summary>
    private void ReusePrefixes()
    {
        foreach (var sequence in _running)
        {
            var isFirstChunk = sequence.Computed < sequence.Program.Start.Tokens.Length;
            var reused = _prefixes.Reuse(sequence);
            if (reused == 0 || !isFirstChunk) continue;
            sequence.Request.Reused(reused);
            _cachedTokens += reused;
        }
    }

    /// <summary>Makes the batch of the plan. Should that fail, it is the fault of a request, not of the model: those of the plan fail, the engine goes on.</summary>
    private bool TryPrepare()
    {
        try
        {
            Reserve();
            _batch.Fill(_plan, _ngrams);
            return true;
        }
        catch (Exception e)
        {
            _logger.LogError(e, "A batch of {Sequences} sequences could not be made; their requests fail.", _plan.Entries.Length);
            foreach (var (sequence, _) in _plan.Entries)
            {
                Remove(sequence);
                sequence.Request.Fail(e);
            }

            return false;
        }
    }

    private void Reserve()
    {
        foreach (var (sequence, tokens) in _plan.Entries)
        {
            while (sequence.Blocks.Count < _blocks.For(sequence.Computed + tokens)) sequence.Blocks.Add(_blocks.Take());
        }
    }

    private void Advance()
    {
        var row = 0;
        foreach (var (sequence, tokens) in _plan.Entries)
        {
            var isComputed = tokens == sequence.Pending.Length;
            sequence.Request.Passed(_passes, isComputed);
            _prefixes.Advance(sequence, tokens);
            if (!isComputed) continue;
            var count = sequence.Queries.Length;
            var logits = _batch.Logits.AsSpan(row * _runner.VocabularySize, count * _runner.VocabularySize);
            row += count;
            try
            {
                Continue(sequence, sequence.Program.Advance(new LogitRows(logits, _runner.VocabularySize)));
            }
            catch (Exception e)
            {
                Remove(sequence);
                sequence.Request.Fail(e);
            }
        }
    }

    private void Continue(Sequence sequence, Continuation continuation)
    {
        if (continuation.IsAppend)
        {
            RequireFit(continuation.Chunk);
            sequence.Append(continuation.Chunk);
            return;
        }

        if (continuation.Branches?.Count > sequence.Program.Growth.Branches)
            throw new InvalidOperationException("A program has forked into more branches than it announced.");
        foreach (var program in continuation.Branches ?? []) Add(Fork(sequence, program));
        Remove(sequence);
        if (sequence.Request.LiveSequences == 0) _ended.Add(sequence.Request);
    }

    /// <summary>Shares the full blocks and copies the last one where it is partly filled.</summary>
    private Sequence Fork(Sequence sequence, SequenceProgram program)
    {
        RequireFit(program.Start);
        var branch = sequence.Branch(program);
        var full = sequence.Computed / _blocks.BlockSize;
        for (var i = 0; i < full; i++)
        {
            _blocks.Share(sequence.Blocks[i]);
            branch.Blocks.Add(sequence.Blocks[i]);
        }

        if (full < sequence.Blocks.Count)
        {
            var copy = _blocks.Take();
            _runner.CopyBlock(sequence.Blocks[full], copy);
            branch.Blocks.Add(copy);
        }

        return branch;
    }

    private void Add(Sequence sequence)
    {
        sequence.Request.LiveSequences++;
        _running.Add(sequence);
    }

    /// <summary>Lets go of the last block first, so that of a run that is kept the end is forgotten before the beginning.</summary>
    private void Remove(Sequence sequence)
    {
        for (var i = sequence.Blocks.Count - 1; i >= 0; i--) _blocks.Release(sequence.Blocks[i]);
        _running.Remove(sequence);
        if (--sequence.Request.LiveSequences > 0) return;
        _runningRequests--;
        _admission.Leave(sequence.Request);
    }

    private void FailAll(EngineUnavailableException reason)
    {
        while (_submitted.TryDequeue(out var request)) request.Fail(reason);
        _admission.FailAll(reason);
        foreach (var sequence in _running) sequence.Request.Fail(reason);
    }
}
