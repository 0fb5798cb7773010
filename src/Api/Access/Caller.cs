namespace SaferGuard.Api.Access;

/// <summary>Who makes a request: what its key or token stands for.</summary>
/// <param name="Id">Names the key in the log and the store; never the key itself.</param>
/// <param name="Tenant">Whose judgments these are.</param>
/// <param name="Policy">Id of the policy that applies where a request names none; null for the service's default.</param>
internal sealed record Caller(string Id, string Tenant, string? Policy)
{
    /// <summary>Everybody, while the service runs without keys.</summary>
    public static readonly Caller Anonymous = new("anonymous", "default", null);
}

internal static class CallerFeature
{
    public static Caller Caller(this HttpContext http) => http.Features.Get<Caller>() ?? Access.Caller.Anonymous;
}
