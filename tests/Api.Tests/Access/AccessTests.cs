using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests.Access;

[Collection<GuardedServiceTests>]
public sealed class AccessTests(GuardedService guarded)
{
    private readonly Service _service = guarded.Service;

    /// <summary>Every address that needs a scope, and the scope.</summary>
    public static TheoryData<string, string, string> Protected { get; } = new()
    {
        { "POST", "/v1/assess", "assess" },
        { "POST", "/v1/complete", "complete" },
        { "GET", "/v1/traces/asm_0", "traces.read" },
        { "GET", "/v1/policies/nobody", "policies.read" },
        { "GET", "/v1/policies/nobody/versions", "policies.read" },
        { "GET", "/v1/policies/nobody/shadow", "policies.read" },
        { "GET", "/metrics", "metrics.read" },
    };

    [Theory]
    [MemberData(nameof(Protected))]
    public async Task A_request_without_a_key_is_told_how_to_make_itself_known(string method, string path, string scope)
    {
        var reply = await _service.SendAsync(new(method), path, null, method == "POST" ? Prompts.Assess(Prompts.Harmless) : null);

        Assert.Equal((401, "unauthenticated", "application/problem+json"), (reply.Status, reply.Kind(), reply.ContentType));
        Assert.Equal("Bearer realm=\"saferguard\"", reply.Headers.WwwAuthenticate.ToString());
        Assert.DoesNotContain(scope, reply.Text);
    }

    [Theory]
    [MemberData(nameof(Protected))]
    public async Task A_key_without_scope_gets_nothing(string method, string path, string scope)
    {
        var stored = await _service.CountStoredAsync();
        var others = await _service.CreateKeyAsync(Scope.All & ~ScopeNames.Read(scope));
        foreach (var key in new[] { await _service.CreateKeyAsync(Scope.None), others })
        {
            var reply = await _service.SendAsync(new(method), path, key.Text, method == "POST" ? Prompts.Complete(Prompts.Harmless) : null);

            Assert.Equal((403, "forbidden"), (reply.Status, reply.Kind()));
            Assert.Equal($"Bearer realm=\"saferguard\", error=\"insufficient_scope\", scope=\"{scope}\"", reply.Headers.WwwAuthenticate.ToString());
        }

        Assert.Equal(stored, await _service.CountStoredAsync());
    }

    [Theory]
    [MemberData(nameof(Protected))]
    public async Task A_key_with_just_the_scope_gets_in(string method, string path, string scope)
    {
        var key = await _service.CreateKeyAsync(ScopeNames.Read(scope));

        var reply = await _service.SendAsync(new(method), path, key.Text, method == "POST" ? """{"input": "Hello"}""" : null);

        Assert.Equal(method == "POST" || path == "/metrics" ? 200 : 404, reply.Status);
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/openapi/v1.json")]
    public async Task Probes_and_the_description_need_no_key(string path) => Assert.Equal(200, (await _service.GetAsync(path)).Status);

    [Fact]
    public void Every_endpoint_says_who_may_use_it()
    {
        var silent = _service.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Where(endpoint => endpoint.Metadata.GetMetadata<RequireScopeAttribute>() is null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
            .Select(endpoint => endpoint.DisplayName);

        Assert.Empty(silent);
    }

    [Fact]
    public async Task A_key_may_come_in_a_field_of_its_own()
    {
        var key = await _service.CreateKeyAsync(Scope.Assess);

        Assert.Equal(200, (await _service.AskAsync(null, ("X-Api-Key", key.Text))).Status);
        Assert.Equal(200, (await _service.AskAsync(null, ("Authorization", $"bearer {key.Text}"))).Status);
    }

    [Theory]
    [InlineData("Authorization", "Basic c2c6c2c=")]
    [InlineData("Authorization", "Bearer")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "Bearer sk-proj-0123456789")]
    [InlineData("Authorization", "Bearer sg_0123456789ab_0123456789012345678901234567890123456789012")]
    [InlineData("X-Api-Key", "")]
    [InlineData("X-Api-Key", "sg_0123456789ab_0123456789012345678901234567890123456789012")]
    [InlineData("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4IiwidGVuYW50IjoiYWNtZSIsInNjb3BlIjoiYXNzZXNzIn0.")]
    public async Task A_credential_that_is_none_is_refused(string name, string value)
    {
        var reply = await _service.AskAsync(null, (name, value));

        Assert.Equal((401, "unauthenticated"), (reply.Status, reply.Kind()));
        Assert.StartsWith("Bearer realm=\"saferguard\"", reply.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task Two_credentials_are_refused_even_when_one_of_them_is_right()
    {
        var key = (await _service.CreateKeyAsync(Scope.Assess)).Text;

        Assert.Equal(401, (await _service.AskAsync(key, ("X-Api-Key", key))).Status);
        Assert.Equal(401, (await _service.AskAsync(null, ("X-Api-Key", key), ("X-Api-Key", key))).Status);
    }

    [Fact]
    public async Task A_revoked_key_and_an_expired_one_are_refused()
    {
        var revoked = await _service.CreateKeyAsync(Scope.Assess);
        var expired = await _service.CreateKeyAsync(new KeyGrant("acme", Scope.Assess) { Expires = DateTimeOffset.UtcNow.AddSeconds(-1) });
        Assert.Equal(200, (await _service.AskAsync(revoked.Text)).Status);

        Assert.True(await _service.Services.GetRequiredService<KeyBook>().RevokeAsync(revoked.Id, TestContext.Current.CancellationToken));

        Assert.Contains("revoked", (await _service.AskAsync(revoked.Text)).Text);
        Assert.Contains("expired", (await _service.AskAsync(expired.Text)).Text);
    }

    [Fact]
    public async Task Another_tenants_trace_is_not_found()
    {
        var mine = await _service.CreateKeyAsync(Scope.Assess | Scope.TracesRead, "acme");
        var colleague = await _service.CreateKeyAsync(Scope.TracesRead, "acme");
        var stranger = await _service.CreateKeyAsync(Scope.All, "umbrella");
        var judged = await _service.AskAsync(mine.Text);

        var replies = new List<Reply>();
        foreach (var key in new[] { mine, colleague, stranger })
            replies.Add(await _service.SendAsync(HttpMethod.Get, $"/v1/traces/{judged.Id}", key.Text));

        Assert.Equal([200, 200, 404], replies.Select(reply => reply.Status));
        Assert.Equal(judged.Body, replies[1].Body);
        var unknown = await _service.SendAsync(HttpMethod.Get, "/v1/traces/asm_0", stranger.Text);
        Assert.Equal(unknown.Json.GetProperty("detail").GetString(), replies[2].Json.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("/v1/assess")]
    [InlineData("/v1/complete")]
    public async Task A_judgment_is_stored_with_its_tenant_and_caller(string path)
    {
        var key = await _service.CreateKeyAsync(Scope.All, "acme");
        var judged = await _service.SendAsync(HttpMethod.Post, path, key.Text, """{"input": "Hello"}""");

        await using var store = await _service.Services.GetRequiredService<IDbContextFactory<TraceStore>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var stored = await store.Judgments.AsNoTracking().SingleAsync(judgment => judgment.Id == judged.Id, TestContext.Current.CancellationToken);

        Assert.Equal(("acme", $"key_{key.Id}"), (stored.Tenant, stored.Caller));
    }

    [Fact]
    public async Task A_key_is_neither_stored_nor_logged()
    {
        var key = await _service.CreateKeyAsync(Scope.Assess);
        await _service.AskAsync(key.Text);
        await _service.AskAsync(key.Text + "x");
        var secret = key.Text[16..];

        Assert.All(Directory.GetFiles(Path.GetDirectoryName(_service.Store)!), file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            Assert.DoesNotContain(secret, reader.ReadToEnd());
        });
        Assert.DoesNotContain(_service.Log, line => line.Contains(secret, StringComparison.Ordinal));
    }
}
