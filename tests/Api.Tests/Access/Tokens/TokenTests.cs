using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Access.Tokens;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests.Access.Tokens;

public sealed class TokenTests : IDisposable
{
    private const string Issuer = "https://issuer.example";
    private const string Audience = "saferguard";

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly string _keysPath = Path.Combine(Directory.CreateTempSubdirectory().FullName, "keys.json");

    public TokenTests() => File.WriteAllText(_keysPath, KeySet());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _rsa.Dispose();

    [Fact]
    public async Task The_claims_of_a_token_say_who_the_caller_is_and_what_it_may()
    {
        var caller = await Reader().ReadAsync(Token(("scope", "assess openid traces.read"), ("policy", "strict")), Cancellation);

        Assert.Equal(new Caller("jwt_alice", "acme", "strict", Scope.Assess | Scope.TracesRead, new CallerLimits(7, null, null)), caller);
    }

    [Fact]
    public async Task Scopes_may_be_an_array_and_claims_may_have_other_names()
    {
        var reader = Reader(jwt => (jwt.ScopeClaim, jwt.TenantClaim) = ("permissions", "https://acme.example/org"));

        var caller = await reader.ReadAsync(
            Token(("permissions", (string[])["complete", "policies.write"]), ("https://acme.example/org", "umbrella"), ("tenant", "other")), Cancellation);

        Assert.Equal((Scope.Complete | Scope.PoliciesWrite, "umbrella"), (caller.Scopes, caller.Tenant));
    }

    [Fact]
    public async Task A_token_without_scopes_may_nothing() => Assert.Equal(Scope.None, (await Reader().ReadAsync(Token(), Cancellation)).Scopes);

    public static TheoryData<string, string> Bad { get; } = new()
    {
        { "expired", "has expired" },
        { "not yet valid", "not valid yet" },
        { "for another audience", "another service" },
        { "of another issuer", "another issuer" },
        { "signed by somebody else", "neither a key" },
        { "signed with the public key as a secret", "neither a key" },
        { "not signed", "neither a key" },
        { "changed after it was signed", "neither a key" },
        { "without expiry", "neither a key" },
        { "no token", "neither a key" },
        { "without a tenant", "'tenant'" },
        { "with an empty tenant", "'tenant'" },
        { "with a tenant of two lines", "'tenant'" },
        { "without a subject", "'sub'" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_token_is_refused(string what, string reason)
    {
        var problem = await Assert.ThrowsAsync<ProblemException>(() => Reader().ReadAsync(BadToken(what), Cancellation));

        Assert.Equal(Errors.Unauthenticated, problem.Kind);
        Assert.Contains("error=\"invalid_token\"", problem.Challenge);
        Assert.Contains(reason, problem.Message);
    }

    [Fact]
    public async Task The_keys_of_an_authority_are_found_by_its_metadata()
    {
        await using var issuer = await StartIssuerAsync();
        var address = issuer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        var reader = Reader(jwt => (jwt.KeysPath, jwt.Issuer, jwt.Authority) = (null, null, address));

        Assert.Equal("acme", (await reader.ReadAsync(Token(("iss", address)), Cancellation)).Tenant);
        Assert.Equal(Errors.Unauthenticated, (await Assert.ThrowsAsync<ProblemException>(() => reader.ReadAsync(Token(), Cancellation))).Kind);
    }

    [Fact]
    public async Task While_the_authority_cannot_be_reached_nobody_gets_in_and_no_token_is_blamed()
    {
        var reader = Reader(jwt => (jwt.KeysPath, jwt.Issuer, jwt.Authority) = (null, null, "http://127.0.0.1:9"));

        Assert.Equal(Errors.Unavailable, (await Assert.ThrowsAsync<ProblemException>(() => reader.ReadAsync(Token(), Cancellation))).Kind);
    }

    [Fact]
    public async Task A_service_takes_tokens_beside_keys_and_nothing_else()
    {
        await using var service = new Service
        {
            Settings = { ["Access:Jwt:KeysPath"] = _keysPath, ["Access:Jwt:Issuer"] = Issuer, ["Access:Jwt:Audience"] = Audience },
        };
        await service.InitializeAsync();
        Assert.Equal(401, (await service.AskAsync(null)).Status);
        Assert.Equal(403, (await service.AskAsync(Token())).Status);

        var judged = await service.AskAsync(Token(("scope", "assess")));
        Assert.Equal(200, judged.Status);
        Assert.Equal(200, (await service.AskAsync((await service.CreateKeyAsync(Scope.Assess)).Text)).Status);

        await using var store = await service.Services.GetRequiredService<IDbContextFactory<TraceStore>>().CreateDbContextAsync(Cancellation);
        var stored = await store.Judgments.AsNoTracking().SingleAsync(judgment => judgment.Id == judged.Id, Cancellation);
        Assert.Equal(("acme", "jwt_alice"), (stored.Tenant, stored.Caller));
    }

    private JwtReader Reader(Action<JwtOptions>? change = null)
    {
        var jwt = new JwtOptions { KeysPath = _keysPath, Issuer = Issuer, Audience = Audience };
        change?.Invoke(jwt);
        return new(new AccessOptions { Jwt = jwt, RequestsPerMinute = 7 });
    }

    private string BadToken(string what)
    {
        var now = DateTime.UtcNow;
        switch (what)
        {
            case "expired": return Token(("exp", Unix(now.AddMinutes(-2))), ("nbf", Unix(now.AddMinutes(-9))));
            case "not yet valid": return Token(("nbf", Unix(now.AddMinutes(2))));
            case "for another audience": return Token(("aud", "billing"));
            case "of another issuer": return Token(("iss", "https://evil.example"));
            case "signed by somebody else":
                using (var other = RSA.Create(2048)) return Token(new SigningCredentials(new RsaSecurityKey(other) { KeyId = "k1" }, SecurityAlgorithms.RsaSha256));
            case "signed with the public key as a secret":
                return Token(new SigningCredentials(new SymmetricSecurityKey(_rsa.ExportSubjectPublicKeyInfo()) { KeyId = "k1" }, SecurityAlgorithms.HmacSha256));
            case "not signed": return Token((SigningCredentials?)null);
            case "changed after it was signed":
                var parts = Token(("scope", "assess")).Split('.');
                var payload = Base64UrlEncoder.Decode(parts[1]).Replace("acme", "evil", StringComparison.Ordinal);
                return $"{parts[0]}.{Base64UrlEncoder.Encode(payload)}.{parts[2]}";
            case "without expiry": return Token(("exp", null));
            case "no token": return "hello.hello.hello";
            case "without a tenant": return Token(("tenant", null));
            case "with an empty tenant": return Token(("tenant", ""));
            case "with a tenant of two lines": return Token(("tenant", "acme\nevil"));
            case "without a subject": return Token(("sub", null));
            default: throw new ArgumentOutOfRangeException(nameof(what));
        }
    }

    private string Token(params (string Name, object? Value)[] claims) =>
        Token(new SigningCredentials(new RsaSecurityKey(_rsa) { KeyId = "k1" }, SecurityAlgorithms.RsaSha256), claims);

    /// <summary>A good token, with these claims instead of its own; null leaves one out.</summary>
    private static string Token(SigningCredentials? signing, params (string Name, object? Value)[] claims)
    {
        var now = DateTime.UtcNow;
        var payload = new Dictionary<string, object?>
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = "alice",
            ["tenant"] = "acme",
            ["nbf"] = Unix(now.AddMinutes(-1)),
            ["exp"] = Unix(now.AddMinutes(5)),
        };
        foreach (var (name, value) in claims) payload[name] = value;
        var json = System.Text.Json.JsonSerializer.Serialize(payload.Where(claim => claim.Value is not null).ToDictionary());
        var handler = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false };
        return signing is null ? handler.CreateToken(json) : handler.CreateToken(json, signing);
    }

    private static long Unix(DateTime time) => new DateTimeOffset(time).ToUnixTimeSeconds();

    private string KeySet()
    {
        var key = _rsa.ExportParameters(includePrivateParameters: false);
        return $$"""{"keys": [{"kty": "RSA", "use": "sig", "kid": "k1", "n": "{{Base64UrlEncoder.Encode(key.Modulus)}}", "e": "{{Base64UrlEncoder.Encode(key.Exponent)}}"}]}""";
    }

    private async Task<WebApplication> StartIssuerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/.well-known/openid-configuration", (HttpRequest request) =>
            Results.Text($$"""{"issuer": "http://{{request.Host}}", "jwks_uri": "http://{{request.Host}}/keys"}""", "application/json", Encoding.UTF8));
        app.MapGet("/keys", () => Results.Text(KeySet(), "application/json", Encoding.UTF8));
        await app.StartAsync(Cancellation);
        return app;
    }
}
