using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Access.Tokens;

/// <summary>
/// Reads callers from the bearer tokens of a configured issuer. Made from the libraries beneath ASP.NET's bearer handler: keys and tokens share one
/// gate and one error table, and a second pipeline of schemes and challenges beside it would only be a second way in.
/// </summary>
internal sealed class JwtReader
{
    /// <summary>Ids and names that a token may bring into the store.</summary>
    private const int MaxNameLength = 200;

    private readonly JwtOptions? _options;
    private readonly ConfigurationManager<OpenIdConnectConfiguration>? _metadata;
    private readonly TokenValidationParameters _rules;
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly AccessOptions _access;

    public JwtReader(AccessOptions access)
    {
        _access = access;
        _options = access.Jwt;
        if (_options?.Authority is { } authority)
        {
            var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = TimeSpan.FromSeconds(5) };
            _metadata = new(
                $"{authority.TrimEnd('/')}/.well-known/openid-configuration",
                new OpenIdConnectConfigurationRetriever(),
                new HttpDocumentRetriever(client) { RequireHttps = !new Uri(authority).IsLoopback });
        }

        _rules = new()
        {
            ConfigurationManager = _metadata,
            IssuerSigningKeys = _options?.KeysPath is { } path ? JwtOptions.ReadKeys(path) : null,
            ValidIssuer = _options?.Issuer,
            ValidAudience = _options?.Audience,
            ClockSkew = _options?.ClockSkew ?? TimeSpan.Zero,
            // Signatures only: with a shared secret, whoever can check a token could make one.
            ValidAlgorithms =
            [
                SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
                SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
                SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
            ],
        };
    }

    public bool IsConfigured => _options is not null;

    /// <exception cref="ProblemException">The token is not valid, or says too little.</exception>
    public async Task<Caller> ReadAsync(string token, CancellationToken cancellation)
    {
        await RequireMetadataAsync(cancellation);
        var result = await _handler.ValidateTokenAsync(token, _rules);
        if (!result.IsValid)
        {
            throw Denied.BadCredential(result.Exception switch
            {
                SecurityTokenExpiredException => "The token has expired.",
                SecurityTokenNotYetValidException => "The token is not valid yet.",
                SecurityTokenInvalidAudienceException => "The token is for another service.",
                SecurityTokenInvalidIssuerException => "The token is of another issuer.",
                _ => "This is neither a key of this service nor a valid token.",
            });
        }

        var claims = (JsonWebToken)result.SecurityToken;
        var subject = Name(claims, JwtRegisteredClaimNames.Sub) ?? throw Denied.BadCredential("The token has no 'sub' that could name its caller.");
        var tenant = Name(claims, _options!.TenantClaim) ?? throw Denied.BadCredential($"The token has no '{_options.TenantClaim}' that could name its tenant.");
        var scopes = ScopeNames.Read(claims.Claims.Where(claim => claim.Type == _options.ScopeClaim).SelectMany(claim => claim.Value.Split(' ')));
        return new($"jwt_{subject}", tenant, Name(claims, _options.PolicyClaim), scopes, _access.DefaultLimits);
    }

    /// <summary>Without the issuer's keys nobody can be let in, but that is no fault of the token.</summary>
    private async Task RequireMetadataAsync(CancellationToken cancellation)
    {
        try
        {
            if (_metadata is not null) await _metadata.GetConfigurationAsync(cancellation);
        }
        catch (Exception unreachable) when (unreachable is InvalidOperationException or IOException)
        {
            throw new ProblemException(Errors.Unavailable, "The issuer of tokens cannot be reached, so that no token can be checked. Try again later.");
        }
    }

    private static string? Name(JsonWebToken token, string claim) =>
        token.TryGetPayloadValue<string>(claim, out var value) && value is { Length: > 0 and <= MaxNameLength } && !value.Any(char.IsControl) ? value : null;
}
