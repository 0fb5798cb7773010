using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Access.Idempotency;

/// <summary>The replies in the store, which survive a restart.</summary>
internal sealed class KeptReplies(IDbContextFactory<TraceStore> stores, JudgmentLog log, IdempotencyOptions options, TimeProvider clock)
{
    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task<KeptReply?> FindAsync(string caller, byte[] key, CancellationToken cancellation)
    {
        var now = Now;
        await using var store = await stores.CreateDbContextAsync(cancellation);
        return await store.KeptReplies.AsNoTracking()
            .Where(reply => reply.Caller == caller && reply.Key == key && reply.Expires > now)
            .OrderByDescending(reply => reply.Id)
            .FirstOrDefaultAsync(cancellation);
    }

    /// <summary>On disk when it returns.</summary>
    public Task KeepAsync(string caller, byte[] key, byte[] request, HttpResponse response, string headers, byte[] body)
    {
        var now = clock.GetUtcNow();
        return log.AppendAsync(new KeptReply(
            $"{Guid.CreateVersion7(now):N}", caller, key, request, response.StatusCode, response.ContentType, headers, body,
            now.Add(options.KeepFor).ToUnixTimeMilliseconds()));
    }

    /// <summary>Forgets what has expired, and the oldest replies of callers that have too many.</summary>
    public async Task ForgetAsync(CancellationToken cancellation)
    {
        var now = Now;
        await using var store = await stores.CreateDbContextAsync(cancellation);
        await store.KeptReplies.Where(reply => reply.Expires <= now).ExecuteDeleteAsync(cancellation);
        var crowded = await store.KeptReplies.GroupBy(reply => reply.Caller)
            .Where(replies => replies.Count() > options.MaxRepliesPerCaller)
            .Select(replies => replies.Key)
            .ToListAsync(cancellation);
        foreach (var caller in crowded)
        {
            var oldest = await store.KeptReplies.Where(reply => reply.Caller == caller)
                .OrderByDescending(reply => reply.Id)
                .Skip(options.MaxRepliesPerCaller - 1)
                .Select(reply => reply.Id)
                .FirstAsync(cancellation);
            await store.KeptReplies.Where(reply => reply.Caller == caller && string.Compare(reply.Id, oldest) < 0).ExecuteDeleteAsync(cancellation);
        }
    }
}
