using System.Threading.RateLimiting;

namespace SaferGuard.Api.Access.RateLimits;

/// <summary>Lets a request through while its caller has quota left and not too many requests in flight, and tells what is left.</summary>
internal sealed class RateLimitGate(RequestDelegate next, IRateLimiter limiter, PartitionedRateLimiter<Caller> inFlight)
{
    /// <summary>Requests in flight of each caller that has a limit.</summary>
    public static PartitionedRateLimiter<Caller> InFlight() => PartitionedRateLimiter.Create<Caller, string>(caller =>
        caller.Limits.MaxConcurrentRequests is { } most
            ? RateLimitPartition.GetConcurrencyLimiter(caller.Id, _ => new() { PermitLimit = most, QueueLimit = 0 })
            : RateLimitPartition.GetNoLimiter(""));

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.Features.Get<Caller>() is not { } caller)
        {
            await next(http);
            return;
        }

        using var place = inFlight.AttemptAcquire(caller);
        if (!place.IsAcquired)
            throw Denied.TooMany($"{caller.Limits.MaxConcurrentRequests} requests of this caller are in flight, which is the most. Wait for one of them.", TimeSpan.FromSeconds(1));
        if (caller.Limits.HasQuota) await AdmitAsync(http, caller);
        await next(http);
    }

    private async Task AdmitAsync(HttpContext http, Caller caller)
    {
        var meter = new Meter(limiter, caller.Id, caller.Limits);
        http.Features.Set(caller with { Meter = meter });
        var isAdmitted = await meter.AdmitAsync();
        // As late as possible: a judgment's tokens are known when it is done.
        http.Response.OnStarting(() =>
        {
            RateLimitFields.Write(http.Response.Headers, meter.Left);
            return Task.CompletedTask;
        });
        if (isAdmitted) return;
        var spent = meter.Left.Requests is { Allows: false } ? $"{caller.Limits.RequestsPerMinute} requests" : $"{caller.Limits.TokensPerMinute} tokens";
        throw Denied.TooMany($"The caller has used its {spent} per minute. Wait as long as Retry-After says.", meter.Left.Wait);
    }
}
