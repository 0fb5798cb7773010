using System.Collections.Concurrent;
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
    private readonly KvBlocks _blocks;
    private readonly StepBatch _batch;
    private readonly ConcurrentQueue<EngineRequest> _submitted = new();
    private readonly List<EngineRequest> _waiting = [];
    private readonly List<Sequence> _running = [];
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;
    private int _reservedBlocks;
    private int _active;
    private volatile Exception? _fault;
    private Task? _disposing;

    /// <exception cref="ArgumentException">The options are out of range, or need n-grams that are missing.</exception>
    public InferenceEngine(ModelRunner runner, WordNgrams? ngrams, EngineOptions options, ILogger logger)
    {
        var errors = options.Errors().ToList();
        if (errors.Count > 0) throw new ArgumentException(string.Join(" ", errors), nameof(options));
        if (runner.NgramOrders != (ngrams?.Orders ?? 0)) throw new ArgumentException("The model and the n-grams disagree.", nameof(ngrams));
        (_runner, _ngrams, _options, _logger) = (runner, ngrams, options, logger);
        _blocks = new KvBlocks(runner.BlockCount, runner.BlockSize);
        _batch = new StepBatch(options, runner);
        _thread = new Thread(Loop) { IsBackground = true, Name = "saferguard-engine" };
        _thread.Start();
    }

    /// <summary>False once a forward pass has failed: the engine then takes no more requests.</summary>
    public bool IsHealthy => _fault is null && !_stopping.IsCancellationRequested;

    /// <summary>Blocks of the key/value pool that no sequence holds.</summary>
    public int FreeBlocks => _blocks.Free;

    /// <summary>Runs a program to its end. Cancellation frees its memory before the next pass.</summary>
    /// <exception cref="EngineUnavailableException">The queue is full, the request can never fit, or the engine has stopped.</exception>
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
            await using var registration = cancellation.UnsafeRegister(static r => ((EngineRequest)r!).Cancel(), request);
            return await request.Completion.ConfigureAwait(false);
        }
        finally
        {
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
        DropAbandoned();
        Admit();
        var plan = StepPlan.Of(_running, _options);
        if (plan.Entries.Count == 0) return false;
        if (TryPrepare(plan))
        {
            _runner.Run(_batch);
            Advance(plan);
        }

        return true;
    }

    private void DropAbandoned()
    {
        foreach (var sequence in _running.Where(s => s.Request.IsDone).ToList())
        {
            Remove(sequence);
        }

        _waiting.RemoveAll(r => r.IsDone);
    }

    /// <summary>Starts waiting requests in order of arrival, as long as their worst case fits into the pool: nothing that runs is ever evicted.</summary>
    private void Admit()
    {
        while (_submitted.TryDequeue(out var request)) _waiting.Add(request);
        var admitted = 0;
        foreach (var request in _waiting)
        {
            if (_reservedBlocks + request.ReservedBlocks > _blocks.Count) break;
            admitted++;
            _reservedBlocks += request.ReservedBlocks;
            request.Started();
            request.Appended(request.Program.Start);
            Add(new Sequence(request, request.Program, request.Program.Growth.Tokens));
        }

        _waiting.RemoveRange(0, admitted);
    }

    /// <summary>Makes the batch of a plan. Should that fail, it is the fault of a request, not of the model: those of the plan fail, the engine goes on.</summary>
    private bool TryPrepare(StepPlan plan)
    {
        try
        {
            Reserve(plan);
            _batch.Fill(plan, _ngrams);
            return true;
        }
        catch (Exception e)
        {
            _logger.LogError(e, "A batch of {Sequences} sequences could not be made; their requests fail.", plan.Entries.Count);
            foreach (var (sequence, _) in plan.Entries)
            {
                Remove(sequence);
                sequence.Request.Fail(e);
            }

            return false;
        }
    }

    private void Reserve(StepPlan plan)
    {
        foreach (var (sequence, tokens) in plan.Entries)
        {
            while (sequence.Blocks.Count < _blocks.For(sequence.Computed + tokens)) sequence.Blocks.Add(_blocks.Take());
        }
    }

    private void Advance(StepPlan plan)
    {
        var row = 0;
        foreach (var request in plan.Entries.GroupBy(e => e.Sequence.Request))
        {
            request.Key.Passed(answered: request.Any(e => e.Tokens == e.Sequence.Pending.Length));
        }

        foreach (var (sequence, tokens) in plan.Entries)
        {
            if (!sequence.Advance(tokens)) continue;
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
        if (sequence.Request.LiveSequences == 0) sequence.Request.Complete();
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

    private void Remove(Sequence sequence)
    {
        foreach (var block in sequence.Blocks) _blocks.Release(block);
        _running.Remove(sequence);
        if (--sequence.Request.LiveSequences == 0) _reservedBlocks -= sequence.Request.ReservedBlocks;
    }

    private void FailAll(EngineUnavailableException reason)
    {
        while (_submitted.TryDequeue(out var request)) request.Fail(reason);
        foreach (var request in _waiting) request.Fail(reason);
        foreach (var sequence in _running) sequence.Request.Fail(reason);
    }
}
