using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Access.Tokens;

namespace SaferGuard.Api.Access;

/// <summary>Finds out who makes a request.</summary>
internal sealed class Callers(OpenAccess open, KeyRing keys, JwtReader tokens, AccessOptions options)
{
    private readonly Caller _anonymous = Caller.Anonymous with { Scopes = Scope.All, Limits = options.DefaultLimits };

    /// <exception cref="Operations.ProblemException">The caller is not known.</exception>
    public async ValueTask<Caller> FindAsync(HttpContext http)
    {
        // Clients of OpenAI always send some key: while there are none, it is not looked at.
        if (await open.AppliesAsync(http.RequestAborted))
        {
            return open.Admits(http) ? _anonymous : throw Denied.NoCredential(
                "This service has no keys yet and is open to this machine only. Ask it as http://127.0.0.1 or localhost, or create a key with 'keys create'.");
        }

        if (Credential.Of(http.Request) is not { } credential)
            throw Denied.NoCredential($"Send a key as 'Authorization: Bearer …' or '{Credential.KeyHeader}: …'.");
        if (ApiKey.TryParse(credential) is { } key) return await keys.OpenAsync(key, http.RequestAborted);
        if (tokens.IsConfigured) return await tokens.ReadAsync(credential, http.RequestAborted);
        throw Denied.BadCredential("This is not a key of this service.");
    }
}
