using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Access;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Traces;

/// <summary>One page of stored judgments, newest first.</summary>
/// <param name="Next">Where the next page starts; null on the last one.</param>
internal sealed record TracePage(IReadOnlyList<StoredJudgment> Judgments, string? Next);

/// <summary>Reads the store for every surface. A caller sees the judgments of its tenant and no others.</summary>
internal sealed class TraceReader(IDbContextFactory<TraceStore> stores)
{
    /// <exception cref="ProblemException">The caller's tenant has no such judgment.</exception>
    public async Task<StoredJudgment> FindAsync(string id, Caller caller, CancellationToken cancellation)
    {
        await using var store = await stores.CreateDbContextAsync(cancellation);
        return await store.Judgments.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id && j.Tenant == caller.Tenant, cancellation)
            ?? throw new ProblemException(Errors.TraceNotFound, "No judgment with this id is stored.", new FieldError("id", "is not the id of a stored judgment"));
    }

    public async Task<TracePage> ListAsync(TraceQuery query, Caller caller, CancellationToken cancellation)
    {
        await using var store = await stores.CreateDbContextAsync(cancellation);
        var page = await Select(store, query, caller.Tenant).Take(query.PageSize + 1).ToListAsync(cancellation);
        if (page.Count <= query.PageSize) return new(page, null);
        page.RemoveAt(query.PageSize);
        return new(page, page[^1].Place);
    }

    /// <summary>Goes along the index judgments_by_time; what is filtered out is not read from the table.</summary>
    internal static IQueryable<StoredJudgment> Select(TraceStore store, TraceQuery query, string tenant)
    {
        var judgments = store.Judgments.AsNoTracking().Where(j => j.Tenant == tenant);
        if (query.After is { } after) judgments = judgments.Where(j => string.Compare(j.Id.Substring(StoredJudgment.PrefixLength), after) < 0);
        if (query.Kind is { } kind && WireName.Of(kind) is var kindName) judgments = judgments.Where(j => j.Kind == kindName);
        if (query.Decision is { } decision && WireName.Of(decision) is var decisionName) judgments = judgments.Where(j => j.Decision == decisionName);
        return judgments.OrderByDescending(j => j.Id.Substring(StoredJudgment.PrefixLength));
    }
}
