using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Access.Idempotency;

namespace SaferGuard.Api.Traces;

/// <summary>
/// The writer of all that requests leave in the store: it is on disk when the call returns. Callers that come while a write is under way share the
/// next transaction, so that many callers cost one flush of the disk, and none waits for SQLite's write lock.
/// </summary>
internal sealed class JudgmentLog : IAsyncDisposable
{
    private const int MaxBatch = 256;

    private readonly IDbContextFactory<TraceStore> _stores;
    private readonly Channel<Entry> _waiting = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });
    private readonly Task _writing;

    public JudgmentLog(IDbContextFactory<TraceStore> stores)
    {
        _stores = stores;
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Writes a judgment durably. It is written even when the caller goes away meanwhile.</summary>
    public Task AppendAsync(StoredJudgment judgment) => AppendRowAsync(judgment);

    /// <summary>Writes a reply durably that is to be given again.</summary>
    public Task AppendAsync(KeptReply reply) => AppendRowAsync(reply);

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
    }

    private Task AppendRowAsync(object row)
    {
        var entry = new Entry(row, new(TaskCreationOptions.RunContinuationsAsynchronously));
        return _waiting.Writer.TryWrite(entry) ? entry.Written.Task : throw new ObjectDisposedException(nameof(JudgmentLog));
    }

    private async Task WriteAsync()
    {
        var batch = new List<Entry>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _waiting.Reader.TryRead(out var entry)) batch.Add(entry);
            try
            {
                await using var store = await _stores.CreateDbContextAsync();
                store.AddRange(batch.Select(entry => entry.Row));
                await store.SaveChangesAsync();
                foreach (var entry in batch) entry.Written.SetResult();
            }
            catch (Exception fault)
            {
                foreach (var entry in batch) entry.Written.TrySetException(fault);
            }
        }
    }

    private sealed record Entry(object Row, TaskCompletionSource Written);
}
