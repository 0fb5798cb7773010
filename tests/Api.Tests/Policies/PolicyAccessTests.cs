using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Tests.Access;

namespace SaferGuard.Api.Tests.Policies;

[Collection<GuardedServiceTests>]
public sealed class PolicyAccessTests(GuardedService guarded)
{
    private readonly Service _service = guarded.Service;

    [Fact]
    public async Task A_key_judges_by_its_policy_unless_the_request_names_another()
    {
        var writer = await _service.CreateKeyAsync(Scope.PoliciesWrite);
        var team = await _service.CreateKeyAsync(new KeyGrant("acme", Scope.Assess) { Policy = "team" });
        var put = await PutAsync("team", writer.Text);

        Assert.Equal(201, put.Status);
        Assert.Equal("team", PolicyOf(await _service.AskAsync(team.Text)));
        Assert.Equal("default", PolicyOf(await _service.SendAsync(HttpMethod.Post, "/v1/assess", team.Text, """{"input": "Hello", "policy": "default"}""")));
    }

    [Fact]
    public async Task A_key_whose_policy_is_not_there_judges_nothing()
    {
        var stored = await _service.CountStoredAsync();
        var key = await _service.CreateKeyAsync(new KeyGrant("acme", Scope.Assess) { Policy = "nobody" });

        var reply = await _service.AskAsync(key.Text);

        Assert.Equal((503, "policy-unavailable"), (reply.Status, reply.Kind()));
        Assert.Equal(stored, await _service.CountStoredAsync());
    }

    [Fact]
    public async Task Policies_are_changed_with_their_scope_alone()
    {
        var reader = await _service.CreateKeyAsync(Scope.All & ~Scope.PoliciesWrite);

        Assert.Equal((401, 403), ((await PutAsync("guarded", null)).Status, (await PutAsync("guarded", reader.Text)).Status));
        Assert.Equal(404, (await _service.SendAsync(HttpMethod.Get, "/v1/policies/guarded", reader.Text)).Status);
    }

    private Task<Reply> PutAsync(string id, string? credential) =>
        _service.SendAsync(HttpMethod.Put, $"/v1/policies/{id}", credential, PolicyFiles.Json(id));

    private static string? PolicyOf(Reply reply) => reply.Json.GetProperty("policy").GetProperty("id").GetString();
}
