using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Operations;

/// <summary>Knows whether the service can do its work now: the guard has judged something, the store is reachable, and it is not stopping.</summary>
internal sealed class Readiness(Guard guard, PolicyBook policies, IDbContextFactory<TraceStore> stores, IHostApplicationLifetime lifetime)
{
    private volatile bool _warmedUp;

    public void WarmedUp() => _warmedUp = true;

    /// <summary>Why the service is not ready; empty when it is.</summary>
    public async Task<IReadOnlyList<FieldError>> ReasonsAsync(CancellationToken cancellation)
    {
        var reasons = new List<FieldError>();
        if (lifetime.ApplicationStopping.IsCancellationRequested) reasons.Add(new("service", "is stopping"));
        if (!guard.IsHealthy) reasons.Add(new("engine", "has stopped on a fault"));
        else if (!_warmedUp) reasons.Add(new("engine", "has not judged its first prompt yet"));
        if (!await CanReadStoreAsync(cancellation)) reasons.Add(new("store", "cannot be read"));
        return reasons;
    }

    /// <summary>Policy files that are not live as they stand; null when there are none. What is wrong with them is for callers who may read policies.</summary>
    public IReadOnlyList<FieldError>? Warnings => policies.Live.Invalid is { Count: > 0 } invalid
        ? [.. invalid.Select(file => new FieldError(
            $"policies/{file.Name}", file.Live is null ? "is not valid; see /v1/policies" : "is not valid; its last valid version stays live; see /v1/policies"))]
        : null;

    private async Task<bool> CanReadStoreAsync(CancellationToken cancellation)
    {
        try
        {
            await using var store = await stores.CreateDbContextAsync(cancellation);
            _ = await store.Judgments.AnyAsync(cancellation);
            return true;
        }
        catch (DbException)
        {
            return false;
        }
    }
}
