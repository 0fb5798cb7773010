using System.Collections.Concurrent;
using System.Data.Common;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Access.Keys;

/// <summary>
/// Checks the keys of requests. A key that exists is looked up once in <see cref="AccessOptions.KeyCacheTime"/>, so that revoking takes effect. While the
/// store is away and may be (<see cref="FailureOptions.Store"/>), what it said last holds; a key that it was never asked for stays out.
/// </summary>
internal sealed class KeyRing(IDbContextFactory<TraceStore> stores, AccessOptions options, FailureOptions failures, TimeProvider clock)
{
    /// <summary>Stands in for the hash of a key that does not exist, so that it takes as long to refuse as a wrong secret.</summary>
    private static readonly byte[] s_nobody = new byte[SHA256.HashSizeInBytes];

    /// <summary>Only keys that exist, so that guessing does not fill it.</summary>
    private readonly ConcurrentDictionary<string, (StoredKey Key, long ReadAt)> _read = [];

    private volatile bool _hasKeys;
    private long _emptySince;

    /// <exception cref="Operations.ProblemException">The key is unknown, revoked or expired.</exception>
    public async ValueTask<Caller> OpenAsync(ApiKey presented, CancellationToken cancellation)
    {
        var key = await ReadAsync(presented.Id, cancellation);
        if (!presented.Matches(key?.Hash ?? s_nobody) || key is null) throw Denied.BadCredential("This key is not known.");
        if (key.Revoked is not null) throw Denied.BadCredential("This key was revoked.");
        if (key.Expires <= clock.GetUtcNow().ToUnixTimeSeconds()) throw Denied.BadCredential("This key has expired.");
        return key.ToCaller(options.DefaultLimits);
    }

    /// <summary>Whether no key was ever created.</summary>
    public async ValueTask<bool> IsEmptyAsync(CancellationToken cancellation)
    {
        if (_hasKeys) return false;
        if (Volatile.Read(ref _emptySince) is not 0 and var since && IsFresh(since)) return true;
        try
        {
            await using var store = await stores.CreateDbContextAsync(cancellation);
            _hasKeys = await store.Keys.AnyAsync(cancellation);
            Volatile.Write(ref _emptySince, clock.GetTimestamp());
        }
        catch (DbException) when (MayBeAway && Volatile.Read(ref _emptySince) != 0)
        {
            // It was empty when it was asked last.
        }

        return !_hasKeys;
    }

    private async ValueTask<StoredKey?> ReadAsync(string id, CancellationToken cancellation)
    {
        if (_read.TryGetValue(id, out var known) && IsFresh(known.ReadAt)) return known.Key;
        var readAt = clock.GetTimestamp();
        try
        {
            await using var store = await stores.CreateDbContextAsync(cancellation);
            var key = await store.Keys.AsNoTracking().SingleOrDefaultAsync(stored => stored.Id == id, cancellation);
            if (key is not null) _read[id] = (key, readAt);
            return key;
        }
        catch (DbException) when (MayBeAway && known.Key is not null)
        {
            return known.Key;
        }
    }

    private bool MayBeAway => failures.Store == FailureOptions.Open;

    private bool IsFresh(long readAt) => clock.GetElapsedTime(readAt) < options.KeyCacheTime;
}
