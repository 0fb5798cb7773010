using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Tests.Failures;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Tests.Upstream;

/// <summary>What the upstream answers, as OpenAI's and gRPC's clients see it.</summary>
public sealed class SurfacesTests : IAsyncLifetime
{
    private static readonly string s_turning =
        $"{string.Join(' ', Enumerable.Repeat(ScriptedUpstream.Harmless, 20))[..1200]}{Prompts.HarmfulAnswer} {Prompts.HarmfulAnswer}";

    private ScriptedUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await ScriptedUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_OpenAI_client_gets_the_answer_of_the_upstream(bool stream)
    {
        await using var service = await _upstream.GuardAsync();

        var (text, finish, verdict) = await ChatAsync(service, "gpt-5-mini", stream);

        Assert.Equal((ScriptedUpstream.Harmless, "stop"), (text, finish));
        Assert.Equal("answer", verdict.GetProperty("output").GetProperty("decision").GetString());
        var call = Assert.Single(_upstream.Calls);
        Assert.Equal("gpt-5-mini", (string)call.Body["model"]!);
        Assert.False(call.Body.AsObject().ContainsKey("max_tokens"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_withheld_answer_is_filtered_content_to_an_OpenAI_client(bool stream)
    {
        await using var service = await _upstream.GuardAsync();
        _upstream.Answer = call => call.AnswerAsync(s_turning);

        var (text, finish, verdict) = await ChatAsync(service, "safer-nano", stream);

        Assert.Equal("content_filter", finish);
        Assert.DoesNotContain("ransomware", text.Replace("malware such as ransomware", "", StringComparison.Ordinal));
        Assert.Equal("refuse", verdict.GetProperty("output").GetProperty("decision").GetString());
        Assert.NotEmpty(verdict.GetProperty("output").GetProperty("rules").EnumerateArray());
        Assert.Equal("big-model", (string)Assert.Single(_upstream.Calls).Body["model"]!);
    }

    [Fact]
    public async Task The_models_of_the_upstream_are_listed_and_others_are_not_found()
    {
        await using var service = await _upstream.GuardAsync(("Upstream:Models:0:Name", "fast"), ("Upstream:Models:0:Model", "llama3:8b"));

        var list = await service.GetAsync("/v1/models");
        var unknown = await service.PostAsync("/v1/chat/completions", Encoding.UTF8.GetBytes("""{"model": "slow", "messages": [{"role": "user", "content": "Hi"}]}"""));

        Assert.Equal(["safer-nano", "fast"], list.Json.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
        Assert.Equal((404, "model_not_found"), (unknown.Status, unknown.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_gRPC_client_gets_the_answer_and_its_judgment()
    {
        await using var service = await _upstream.GuardAsync();
        var guard = new GuardService.GuardServiceClient(service.Channel);

        var judgment = await guard.CompleteAsync(new() { Input = Prompts.Harmless, Model = "gpt-5-mini" }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal((ScriptedUpstream.Harmless, OutputSource.Upstream), (judgment.Output.Text, judgment.Output.Source));
        Assert.Equal(Decision.Answer, judgment.OutputJudgment.Decision);
        Assert.Equal("gpt-5-mini", (string)Assert.Single(_upstream.Calls).Body["model"]!);
    }

    [Fact]
    public async Task A_gRPC_stream_whose_answer_is_withheld_is_aborted()
    {
        await using var service = await _upstream.GuardAsync();
        _upstream.Answer = call => call.AnswerAsync(s_turning);
        using var call = new GuardService.GuardServiceClient(service.Channel).CompleteStream(new() { Input = Prompts.Harmless }, cancellationToken: TestContext.Current.CancellationToken);
        var text = new StringBuilder();

        var fault = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var item in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken)) text.Append(item.Output?.Text);
        });

        Assert.Equal(StatusCode.Aborted, fault.StatusCode);
        Assert.NotEqual(0, text.Length);
        Assert.DoesNotContain("ransomware", text.ToString());
    }

    [Fact]
    public async Task A_gRPC_client_is_told_what_is_let_pass_in_a_header_a_trailer_and_the_message()
    {
        await using var service = await _upstream.GuardAsync(("Failure:Input", "fail_open"), ("Failure:Output", "fail_open"));
        using var counters = new Counters(service);
        await service.Services.GetRequiredService<SaferGuard.Reasoning.Guard>().DisposeAsync();
        using var call = new GuardService.GuardServiceClient(service.Channel).CompleteAsync(new() { Input = Prompts.Harmless }, cancellationToken: TestContext.Current.CancellationToken);

        var judgment = await call;

        Assert.Equal(Decision.Unspecified, judgment.Decision);
        Assert.Null(judgment.Trace);
        Assert.Equal([DegradedPart.Input, DegradedPart.Output], judgment.Degraded.Select(degraded => degraded.Part));
        Assert.All(
            [await call.ResponseHeadersAsync, call.GetTrailers()],
            (Metadata metadata) => Assert.Equal(["input=unavailable", "output=unavailable"], metadata.GetAll("x-saferguard-degraded").Select(entry => entry.Value)));
        Assert.Equal((1, 1), counters.Unscanned);
    }

    [Fact]
    public async Task A_judgment_of_an_answer_is_made_over_gRPC_too()
    {
        await using var service = await _upstream.GuardAsync();
        var guard = new GuardService.GuardServiceClient(service.Channel);

        var judgment = await guard.AssessAsync(
            new() { Input = Prompts.Harmless, Response = Prompts.HarmfulAnswer }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal((Subject.Response, Decision.Refuse), (judgment.Subject, judgment.Decision));
    }

    private static async Task<(string Text, string? Finish, JsonElement Verdict)> ChatAsync(Service service, string model, bool stream)
    {
        var body = JsonSerializer.Serialize(new { model, stream, messages = new[] { new { role = "user", content = Prompts.Harmless } } });
        if (!stream)
        {
            var reply = await service.PostAsync("/v1/chat/completions", Encoding.UTF8.GetBytes(body));
            var choice = reply.Json.GetProperty("choices")[0];
            return (choice.GetProperty("message").GetProperty("content").GetString()!, choice.GetProperty("finish_reason").GetString(), reply.Json.GetProperty("saferguard"));
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await service.Client.SendAsync(request);
        await using var events = await response.Content.ReadAsStreamAsync();
        var chunks = await SseParser.Create(events).EnumerateAsync().Where(item => item.Data != "[DONE]").Select(item => JsonSerializer.Deserialize<JsonElement>(item.Data)).ToListAsync();
        var last = chunks[^1];
        return (
            string.Concat(chunks.Select(chunk => chunk.GetProperty("choices")[0].GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : "")),
            last.GetProperty("choices")[0].GetProperty("finish_reason").GetString(), last.GetProperty("saferguard"));
    }
}
