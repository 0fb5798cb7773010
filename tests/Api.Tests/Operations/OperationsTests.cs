using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace SaferGuard.Api.Tests.Operations;

public sealed class OperationsTests(Service service) : IClassFixture<Service>
{
    [Theory]
    [InlineData("/livez", "alive")]
    [InlineData("/readyz", "ready")]
    public async Task A_probe_answers(string path, string status)
    {
        var reply = await service.GetAsync(path);

        Assert.Equal(200, reply.Status);
        Assert.Equal(status, reply.Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_service_that_stops_says_so_and_still_judges_until_it_has_drained()
    {
        await using var stopping = new Service { Settings = { ["Shutdown:Drain"] = "00:00:02" } };
        await stopping.InitializeAsync();

        stopping.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var ready = await stopping.GetAsync("/readyz");
        var judged = await stopping.AssessAsync(Prompts.Assess(Prompts.Harmless));

        Assert.Equal((503, "urn:saferguard:problem:not-ready"), (ready.Status, ready.Json.GetProperty("type").GetString()));
        Assert.Equal(["service"], ready.Fields);
        Assert.Equal(200, judged.Status);
    }

    [Fact]
    public async Task A_service_without_its_store_is_alive_but_not_ready()
    {
        await using var broken = new Service();
        await broken.InitializeAsync();
        broken.LoseStore();

        var ready = await broken.GetAsync("/readyz");
        var judged = await broken.AssessAsync(Prompts.Assess(Prompts.Harmless));

        Assert.Equal(503, ready.Status);
        Assert.Equal(["store"], ready.Fields);
        Assert.Equal(200, (await broken.GetAsync("/livez")).Status);
        // No verdict leaves the service that is not on disk.
        Assert.Equal((500, "urn:saferguard:problem:internal"), (judged.Status, judged.Json.GetProperty("type").GetString()));
        Assert.DoesNotContain("Sqlite", judged.Text);
    }

    [Theory]
    [InlineData("GET", "/", 404, "not-found")]
    [InlineData("GET", "/v2/assess", 404, "not-found")]
    [InlineData("GET", "/v1/trace", 404, "not-found")]
    [InlineData("GET", "/v1/assess", 405, "method-not-allowed")]
    [InlineData("PUT", "/v1/complete", 405, "method-not-allowed")]
    [InlineData("POST", "/livez", 405, "method-not-allowed")]
    public async Task An_address_that_does_not_exist_gets_a_problem(string method, string path, int status, string kind)
    {
        using var request = new HttpRequestMessage(new(method), path);
        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var reply = await Reply.OfAsync(response);

        Assert.Equal((status, "application/problem+json"), (reply.Status, reply.ContentType));
        Assert.Equal($"urn:saferguard:problem:{kind}", reply.Json.GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("/v1/traces/none")]
    [InlineData("/livez")]
    public async Task Responses_do_not_invite_guesses(string path)
    {
        var reply = await service.GetAsync(path);

        Assert.Equal(["nosniff"], reply.Headers.GetValues("X-Content-Type-Options"));
        Assert.False(reply.Headers.Contains("Server"));
        if (path.StartsWith("/v1", StringComparison.Ordinal)) Assert.True(reply.Headers.CacheControl?.NoStore);
    }

    [Fact]
    public async Task A_problem_carries_the_trace_id_of_its_caller()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/assess") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("0af7651916cd43dd8448eb211c80319c", (await Reply.OfAsync(response)).Json.GetProperty("traceId").GetString());
    }

    [Fact]
    public async Task Nothing_that_a_user_writes_is_logged()
    {
        const string secret = "xylophonist";
        await service.AssessAsync(Prompts.Assess($"I am a {secret}"));
        await service.AssessAsync($$"""{"{{secret}}": "{{secret}}"}""");
        await service.CompleteAsync($$"""{"input": "{{secret}}", "stream": true}""");
        await service.GetAsync($"/{secret}?{secret}={secret}");
        await service.GetAsync($"/v1/traces/{secret}");

        Assert.Contains(service.Log, line => line.Contains("POST /v1/assess 200", StringComparison.Ordinal));
        Assert.DoesNotContain(service.Log, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }
}
