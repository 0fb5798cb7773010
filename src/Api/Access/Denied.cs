using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Access;

/// <summary>The ways in which a caller is turned away.</summary>
internal static class Denied
{
    private const string Challenge = "Bearer realm=\"saferguard\"";

    public static ProblemException NoCredential(string detail) => new(Errors.Unauthenticated, detail) { Challenge = Challenge };

    public static ProblemException BadCredential(string detail) => new(Errors.Unauthenticated, detail) { Challenge = $"{Challenge}, error=\"invalid_token\"" };

    public static ProblemException MissingScope(Scope scope) =>
        new(Errors.Forbidden, $"This needs the scope '{ScopeNames.Of(scope)}', which your key or token does not have.")
        {
            Challenge = $"{Challenge}, error=\"insufficient_scope\", scope=\"{ScopeNames.Of(scope)}\"",
        };

    public static ProblemException TooMany(string detail, TimeSpan retryAfter) => new(Errors.RateLimited, detail) { RetryAfter = retryAfter };
}
