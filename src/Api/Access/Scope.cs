using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Access;

/// <summary>What a caller may do.</summary>
[Flags]
internal enum Scope
{
    None = 0,
    Assess = 1,
    Complete = 2,
    TracesRead = 4,
    TracesReview = 8,
    PoliciesRead = 16,
    PoliciesWrite = 32,
    MetricsRead = 64,
    All = Assess | Complete | TracesRead | TracesReview | PoliciesRead | PoliciesWrite | MetricsRead,
}

/// <summary>Scopes as keys, tokens and messages write them: names, separated by spaces.</summary>
internal static class ScopeNames
{
    private static readonly (Scope Scope, string Name)[] s_names =
    [
        (Scope.Assess, "assess"), (Scope.Complete, "complete"), (Scope.TracesRead, "traces.read"), (Scope.TracesReview, "traces.review"),
        (Scope.PoliciesRead, "policies.read"), (Scope.PoliciesWrite, "policies.write"),
        (Scope.MetricsRead, "metrics.read"),
    ];

    public static IEnumerable<string> All => s_names.Select(entry => entry.Name);

    public static string Of(Scope scopes) => string.Join(' ', s_names.Where(entry => scopes.HasFlag(entry.Scope)).Select(entry => entry.Name));

    /// <summary>The scopes among these words. Words that are none, such as scopes of other services in a token, grant nothing.</summary>
    public static Scope Read(IEnumerable<string> words) =>
        words.Aggregate(Scope.None, (scopes, word) => scopes | s_names.FirstOrDefault(entry => entry.Name == word).Scope);

    public static Scope Read(string text) => Read(text.Split(' '));
}

/// <summary>Says which scope a caller of an endpoint must have. Also for the methods of a gRPC service.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class RequireScopeAttribute(Scope scope) : Attribute
{
    public Scope Scope => scope;
}

internal static class RequiredScope
{
    /// <summary>Only callers with this scope may use the endpoint. One that neither says this nor <c>AllowAnonymous()</c> is for every known caller.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, Scope scope)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.WithMetadata(new RequireScopeAttribute(scope));
        int[] statuses = [StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status429TooManyRequests];
        foreach (var status in statuses) endpoint.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(Problem), [Problem.ContentType]));
        return endpoint;
    }
}
