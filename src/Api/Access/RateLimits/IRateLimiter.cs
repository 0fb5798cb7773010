namespace SaferGuard.Api.Access.RateLimits;

/// <summary>Counts what callers use against their quotas: alone, or together with other replicas of the service.</summary>
internal interface IRateLimiter
{
    /// <summary>Takes one request from a caller's quota, if it has one left and is not in debt.</summary>
    ValueTask<Admission> AdmitAsync(string caller, CallerLimits limits);

    /// <summary>Takes tokens that were used, whether they were left or not.</summary>
    ValueTask<Allowances> ChargeAsync(string caller, CallerLimits limits, int tokens);
}

/// <summary>Whether a request was taken, and what is left after it.</summary>
internal readonly record struct Admission(bool Admitted, Allowances Left);
