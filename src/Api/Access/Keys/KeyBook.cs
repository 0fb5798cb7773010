using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Access.Keys;

/// <summary>What a new key is to grant.</summary>
internal sealed record KeyGrant(string Tenant, Scope Scopes)
{
    public string Name { get; init; } = "";

    public string? Policy { get; init; }

    public CallerLimits Limits { get; init; }

    public DateTimeOffset? Expires { get; init; }
}

/// <summary>Creates, lists and revokes keys.</summary>
internal sealed class KeyBook(IDbContextFactory<TraceStore> stores, TimeProvider clock)
{
    /// <summary>The key that is returned is nowhere else: only its hash is stored.</summary>
    public async Task<ApiKey> CreateAsync(KeyGrant grant, CancellationToken cancellation = default)
    {
        var key = ApiKey.Create();
        await using var store = await stores.CreateDbContextAsync(cancellation);
        store.Keys.Add(new(
            key.Id, key.Hash, grant.Name, grant.Tenant, ScopeNames.Of(grant.Scopes), grant.Policy,
            grant.Limits.RequestsPerMinute, grant.Limits.TokensPerMinute, grant.Limits.MaxConcurrentRequests,
            clock.GetUtcNow().ToUnixTimeSeconds(), grant.Expires?.ToUnixTimeSeconds()));
        await store.SaveChangesAsync(cancellation);
        return key;
    }

    /// <summary>All keys, the oldest first, also those that may no longer be used.</summary>
    public async Task<IReadOnlyList<StoredKey>> ListAsync(CancellationToken cancellation = default)
    {
        await using var store = await stores.CreateDbContextAsync(cancellation);
        return await store.Keys.AsNoTracking().OrderBy(key => key.Created).ThenBy(key => key.Id).ToListAsync(cancellation);
    }

    /// <summary>Ends a key for good. False when there is no such key; that it was revoked before is no error.</summary>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellation = default)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        await using var store = await stores.CreateDbContextAsync(cancellation);
        await store.Keys.Where(key => key.Id == id && key.Revoked == null)
            .ExecuteUpdateAsync(change => change.SetProperty(key => key.Revoked, now), cancellation);
        return await store.Keys.AnyAsync(key => key.Id == id, cancellation);
    }
}
