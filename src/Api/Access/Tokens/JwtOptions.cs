using System.ComponentModel.DataAnnotations;
using Microsoft.IdentityModel.Tokens;

namespace SaferGuard.Api.Access.Tokens;

/// <summary>Whose bearer tokens are accepted, and what their claims mean. Section <c>Access:Jwt</c>.</summary>
internal sealed class JwtOptions : IValidatableObject
{
    /// <summary>Address of an OpenID Connect issuer, whose metadata has its keys; https, except on this machine.</summary>
    public string? Authority { get; set; }

    /// <summary>A file with the issuer's public keys (JWKS), instead of <see cref="Authority"/>.</summary>
    public string? KeysPath { get; set; }

    /// <summary>Must be the token's <c>iss</c>. By default what the authority's metadata says.</summary>
    public string? Issuer { get; set; }

    /// <summary>Must be among the token's <c>aud</c>, so that a token for another service is worth nothing here.</summary>
    [Required]
    public string? Audience { get; set; }

    /// <summary>The claim that names the tenant. A token without it is refused.</summary>
    [Required]
    public string TenantClaim { get; set; } = "tenant";

    /// <summary>The claim with the scopes: names separated by spaces, or an array of them.</summary>
    [Required]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>The claim that names the policy; a token may lack it.</summary>
    [Required]
    public string PolicyClaim { get; set; } = "policy";

    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if ((Authority is null) == (KeysPath is null)) yield return new("Give either Authority or KeysPath: where the issuer's keys are.", [nameof(Authority)]);
        if (Authority is not null && !IsSafe(Authority)) yield return new("Authority must be an https address (http only on this machine).", [nameof(Authority)]);
        if (KeysPath is not null && Issuer is null) yield return new("Issuer is needed beside KeysPath: whose tokens these keys sign.", [nameof(Issuer)]);
        if (KeysPath is not null && WhyUnreadable(KeysPath) is { } reason) yield return new($"KeysPath '{KeysPath}' {reason}", [nameof(KeysPath)]);
    }

    /// <summary>The public keys of a JWKS file.</summary>
    public static IReadOnlyList<SecurityKey> ReadKeys(string path) =>
        [.. new JsonWebKeySet(File.ReadAllText(path)).GetSigningKeys().Where(key => key is AsymmetricSecurityKey or JsonWebKey { Kty: not "oct" })];

    private static bool IsSafe(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private static string? WhyUnreadable(string path)
    {
        try
        {
            return ReadKeys(path).Count == 0 ? "has no public key for signatures." : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "cannot be read as a JSON Web Key Set.";
        }
    }
}
