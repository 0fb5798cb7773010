using System.ClientModel;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using OpenAI;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Tests.Access;

/// <summary>Keys, scopes and limits on gRPC and in OpenAI's shape: the same gates as over REST, told in the words of the surface.</summary>
[Collection<GuardedServiceTests>]
public sealed class SurfaceAccessTests(GuardedService guarded)
{
    private const string Chat = $$"""{"model": "m", "messages": [{"role": "user", "content": "{{Prompts.Harmful}}"}]}""";

    private readonly Service _service = guarded.Service;
    private readonly GuardService.GuardServiceClient _guard = new(guarded.Service.Channel);

    [Fact]
    public async Task A_call_without_a_key_is_not_authenticated()
    {
        var status = await FailAsync(async () => await _guard.AssessAsync(new() { Input = "Hello" }));

        Assert.Equal(((int)Code.Unauthenticated, "UNAUTHENTICATED"), (status.Code, status.GetDetail<ErrorInfo>()!.Reason));
    }

    [Fact]
    public async Task A_key_opens_the_calls_of_its_scope_and_no_others()
    {
        var key = Credential(await _service.CreateKeyAsync(Scope.Assess));

        Assert.Equal(Decision.Refuse, (await _guard.AssessAsync(new() { Input = Prompts.Harmful }, key)).Decision);
        foreach (var call in (Func<Task>[])
        [
            async () => await _guard.CompleteAsync(new() { Input = "Hello" }, key),
            async () => await _guard.CompleteStream(new() { Input = "Hello" }, key).ResponseStream.MoveNext(TestContext.Current.CancellationToken),
            async () => await _guard.GetTraceAsync(new() { Id = "asm_0" }, key),
            async () => await _guard.ListTracesAsync(new(), key),
        ])
        {
            var status = await FailAsync(call);
            Assert.Equal(((int)Code.PermissionDenied, "FORBIDDEN"), (status.Code, status.GetDetail<ErrorInfo>()!.Reason));
        }
    }

    [Fact]
    public async Task A_list_has_what_its_tenant_had_judged()
    {
        var ours = Credential(await _service.CreateKeyAsync(Scope.Assess | Scope.TracesRead, "list-a"));
        var theirs = Credential(await _service.CreateKeyAsync(Scope.Assess | Scope.TracesRead, "list-b"));
        var judgment = await _guard.AssessAsync(new() { Input = Prompts.Harmless }, ours);

        Assert.Equal([judgment.Id], (await _guard.ListTracesAsync(new(), ours)).Traces.Select(trace => trace.Id));
        Assert.Empty((await _guard.ListTracesAsync(new(), theirs)).Traces);
        Assert.Equal((int)Code.NotFound, (await FailAsync(async () => await _guard.GetTraceAsync(new() { Id = judgment.Id }, theirs))).Code);
    }

    [Fact]
    public async Task Who_calls_too_often_is_told_when_to_come_again()
    {
        var key = await _service.CreateKeyAsync(new KeyGrant("acme", Scope.Assess | Scope.Complete) { Limits = new(1, null, null) });
        await _guard.AssessAsync(new() { Input = "Hello" }, Credential(key));

        var status = await FailAsync(async () => await _guard.AssessAsync(new() { Input = "Hello" }, Credential(key)));
        var reply = await _service.SendAsync(HttpMethod.Post, "/v1/chat/completions", key.Text, Chat);

        Assert.Equal(((int)Code.ResourceExhausted, "RATE_LIMITED"), (status.Code, status.GetDetail<ErrorInfo>()!.Reason));
        Assert.InRange(status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan(), TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));
        Assert.Equal((429, "rate_limit_exceeded"), (reply.Status, reply.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.NotNull(reply.Headers.RetryAfter);
    }

    [Fact]
    public async Task Health_needs_no_key()
    {
        var health = await new Health.HealthClient(_service.Channel).CheckAsync(new(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "complete")]
    [InlineData("/v1/moderations", "assess")]
    public async Task OpenAIs_shape_has_its_own_words_for_the_lack_of_a_key_or_scope(string path, string scope)
    {
        var other = await _service.CreateKeyAsync(Scope.All & ~ScopeNames.Read(scope));

        var unknown = await _service.SendAsync(HttpMethod.Post, path, "sk-unknown", Chat);
        var forbidden = await _service.SendAsync(HttpMethod.Post, path, other.Text, Chat);

        Assert.Equal((401, "authentication_error", "invalid_api_key"), Told(unknown));
        Assert.Equal((403, "permission_error", "forbidden"), Told(forbidden));

        static (int, string?, string?) Told(Reply reply)
        {
            var error = reply.Json.GetProperty("error");
            return (reply.Status, error.GetProperty("type").GetString(), error.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task The_OpenAI_package_sends_a_key_of_this_service_as_its_own()
    {
        var key = await _service.CreateKeyAsync(Scope.Complete);
        var options = new OpenAIClientOptions { Endpoint = new(_service.Address, "/v1") };

        var answer = await new OpenAIClient(new ApiKeyCredential(key.Text), options).GetChatClient("m").CompleteChatAsync(Prompts.Harmful);
        var fault = await Assert.ThrowsAsync<ClientResultException>(
            () => new OpenAIClient(new ApiKeyCredential("sk-unknown"), options).GetChatClient("m").CompleteChatAsync(Prompts.Harmful));

        Assert.Equal(global::OpenAI.Chat.ChatFinishReason.ContentFilter, answer.Value.FinishReason);
        Assert.Equal(401, fault.Status);
    }

    private static CallOptions Credential(ApiKey key) =>
        new(new Metadata { { "authorization", $"Bearer {key.Text}" } }, cancellationToken: TestContext.Current.CancellationToken);

    private static async Task<Google.Rpc.Status> FailAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).GetRpcStatus()!;
}
