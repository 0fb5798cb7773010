using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;

namespace SaferGuard.Api.Traces;

/// <summary>
/// The only writer of the store. A judgment is on disk when <see cref="AppendAsync"/> returns. Callers that come while a write is under way
/// share the next transaction, so that many callers cost one flush of the disk, and none waits for SQLite's write lock.
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
    public Task AppendAsync(StoredJudgment judgment)
    {
        var entry = new Entry(judgment, new(TaskCreationOptions.RunContinuationsAsynchronously));
        return _waiting.Writer.TryWrite(entry) ? entry.Written.Task : throw new ObjectDisposedException(nameof(JudgmentLog));
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
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
                store.Judgments.AddRange(batch.Select(entry => entry.Judgment));
                await store.SaveChangesAsync();
                foreach (var entry in batch) entry.Written.SetResult();
            }
            catch (Exception fault)
            {
                foreach (var entry in batch) entry.Written.TrySetException(fault);
            }
        }
    }

    private sealed record Entry(StoredJudgment Judgment, TaskCompletionSource Written);
}
