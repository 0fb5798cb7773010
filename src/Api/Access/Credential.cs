namespace SaferGuard.Api.Access;

/// <summary>Where a request carries its key or token.</summary>
internal static class Credential
{
    public const string KeyHeader = "X-Api-Key";

    private const string Scheme = "Bearer ";

    /// <summary>The one credential of a request; null when it has none.</summary>
    public static string? Of(HttpRequest request)
    {
        var (authorization, key) = (request.Headers.Authorization, request.Headers[KeyHeader]);
        if (authorization.Count + key.Count == 0) return null;
        if (authorization.Count + key.Count > 1) throw Denied.BadCredential($"Send one credential: either Authorization or {KeyHeader}, once.");
        if (key.Count == 1) return key.ToString();
        var text = authorization.ToString();
        return text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? text[Scheme.Length..].Trim()
            : throw Denied.BadCredential("Send the key or token as 'Authorization: Bearer …'.");
    }
}
