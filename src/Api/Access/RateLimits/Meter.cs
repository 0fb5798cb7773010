namespace SaferGuard.Api.Access.RateLimits;

/// <summary>Counts what one request uses against its caller's quotas.</summary>
internal sealed class Meter(IRateLimiter limiter, string caller, CallerLimits limits)
{
    /// <summary>What is left, as last heard.</summary>
    public Allowances Left { get; private set; }

    public async ValueTask<bool> AdmitAsync()
    {
        (var admitted, Left) = await limiter.AdmitAsync(caller, limits);
        return admitted;
    }

    public async ValueTask ChargeAsync(int tokens)
    {
        if (limits.TokensPerMinute is not null) Left = await limiter.ChargeAsync(caller, limits, tokens);
    }
}
