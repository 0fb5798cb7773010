using SaferGuard.Api.Access.RateLimits;

namespace SaferGuard.Api.Access;

/// <summary>Who makes a request: what its key or token stands for.</summary>
/// <param name="Id">Names the key in the log and the store; never the key itself.</param>
/// <param name="Tenant">Whose judgments these are.</param>
/// <param name="Policy">Id of the policy that applies where a request names none; null for the service's default.</param>
/// <param name="Scopes">What the caller may do; nothing unless it is said.</param>
internal sealed record Caller(string Id, string Tenant, string? Policy, Scope Scopes = Scope.None, CallerLimits Limits = default)
{
    public const string DefaultTenant = "default";

    /// <summary>Nobody that is known: everybody, while the service runs without keys.</summary>
    public static readonly Caller Anonymous = new("anonymous", DefaultTenant, null);

    /// <summary>Counts what this request costs; null where the caller has no limits.</summary>
    public Meter? Meter { get; init; }

    /// <summary>Takes tokens that were used from the caller's quota, which may go into debt: what they cost is known only after the work.</summary>
    public ValueTask ChargeAsync(int tokens) => Meter?.ChargeAsync(tokens) ?? ValueTask.CompletedTask;
}

internal static class CallerFeature
{
    public static Caller Caller(this HttpContext http) => http.Features.Get<Caller>() ?? Access.Caller.Anonymous;
}
