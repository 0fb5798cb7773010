using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Access;
using SaferGuard.Api.Tests.Access;
using SaferGuard.Api.Tests.Policies;
using SaferGuard.Api.Tests.Upstream;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Tests.Failures;

/// <summary>Whatever breaks: what was not judged does not leave, or leaves marked and counted.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private const string Header = "x-saferguard-degraded";
    private static readonly (string, string) s_inputOpen = ("Failure:Input", "fail_open");
    private static readonly (string, string) s_outputOpen = ("Failure:Output", "fail_open");
    private static readonly (string, string) s_storeOpen = ("Failure:Store", "fail_open");

    private ScriptedUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await ScriptedUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task Without_its_engine_the_service_is_closed()
    {
        await using var service = await _upstream.GuardAsync();
        using var counters = new Counters(service);
        await StopEngineAsync(service);

        var completed = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));
        var streamed = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        Assert.All([completed, streamed], (Reply reply) => Assert.Equal((503, "urn:saferguard:problem:unavailable"), (reply.Status, Type(reply.Json))));
        Assert.Empty(_upstream.Calls);
        Assert.Equal((0, 0), counters.Unscanned);
        Assert.Equal(503, (await service.GetAsync("/readyz")).Status);
    }

    [Fact]
    public async Task An_open_input_lets_prompts_pass_marked_and_counted()
    {
        await using var service = await _upstream.GuardAsync(s_inputOpen, s_outputOpen);
        using var counters = new Counters(service);
        await StopEngineAsync(service);

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal(200, reply.Status);
        Assert.Equal(["input=unavailable", "output=unavailable"], reply.Headers.GetValues(Header));
        Assert.Equal(JsonValueKind.Null, reply.Json.GetProperty("decision").ValueKind);
        Assert.Equal(JsonValueKind.Null, reply.Json.GetProperty("trace").ValueKind);
        Assert.Equal(
            """[{"part":"input","reason":"unavailable"},{"part":"output","reason":"unavailable"}]""", reply.Json.GetProperty("degraded").GetRawText());
        Assert.Equal(ScriptedUpstream.Harmless, reply.Json.GetProperty("output").GetProperty("text").GetString());
        Assert.Equal(((1, 1), (1, 1)), (counters.Unscanned, counters.Degraded));
        Assert.Equal(2, service.Log.Count(line => line.StartsWith("Warning: Degraded", StringComparison.Ordinal)));
        Assert.Equal(reply.Body, (await service.GetAsync($"/v1/traces/{reply.Id}")).Body);
    }

    [Fact]
    public async Task An_open_input_does_not_open_the_output()
    {
        await using var service = await _upstream.GuardAsync(s_inputOpen);
        using var counters = new Counters(service);
        await StopEngineAsync(service);

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal(503, reply.Status);
        Assert.DoesNotContain(ScriptedUpstream.Harmless, reply.Text);
        Assert.Equal((1, 0), counters.Unscanned);
    }

    [Fact]
    public async Task A_degraded_stream_says_so_in_its_header_and_in_events()
    {
        await using var service = await _upstream.GuardAsync(s_inputOpen, s_outputOpen);
        using var counters = new Counters(service);
        await StopEngineAsync(service);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/complete") { Content = new StringContent(Prompts.Complete(Prompts.Harmless, stream: true), System.Text.Encoding.UTF8, "application/json") };

        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var events = await SseParser.Create(body).EnumerateAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["input=unavailable"], response.Headers.GetValues(Header));
        Assert.Equal(["degraded", "degraded", "output", "completion", "message"], events.Select(item => item.EventType));
        Assert.Equal("""{"part":"output","reason":"unavailable"}""", events[1].Data);
        Assert.Equal((1, 1), counters.Unscanned);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_verdict_that_was_asked_for_is_never_made_up(bool response)
    {
        await using var service = await _upstream.GuardAsync(s_inputOpen, s_outputOpen);
        using var counters = new Counters(service);
        await StopEngineAsync(service);

        var reply = await service.AssessAsync(response ? """{"input": "Hello", "response": "Hello!"}""" : """{"input": "Hello"}""");

        Assert.Equal(503, reply.Status);
        Assert.Equal((0, 0), counters.Unscanned);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_engine_that_stops_before_the_answer_keeps_the_answer_back(bool stream)
    {
        await using var service = await _upstream.GuardAsync();
        using var counters = new Counters(service);
        _upstream.Answer = async call =>
        {
            await StopEngineAsync(service);
            await call.AnswerAsync(ScriptedUpstream.Harmless);
        };

        string text;
        if (stream)
        {
            var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));
            Assert.Equal("urn:saferguard:problem:unavailable", Type(JsonSerializer.Deserialize<JsonElement>(events[^1].Data)));
            Assert.Equal("error", events[^1].EventType);
            text = string.Concat(events.Select(item => item.Data));
        }
        else
        {
            var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));
            Assert.Equal(503, reply.Status);
            text = reply.Text;
        }

        Assert.DoesNotContain("Black tea", text);
        Assert.Equal((0, 0), counters.Unscanned);
        var stored = Assert.Single(await service.StoredAsync());
        Assert.Equal("interrupted", stored.GetProperty("finish_reason").GetString());
        Assert.Equal("unjudged", stored.GetProperty("withheld").GetProperty("reason").GetString());
        Assert.Equal(ScriptedUpstream.Harmless.Length, stored.GetProperty("withheld").GetProperty("characters").GetInt32());
    }

    [Fact]
    public async Task An_open_output_lets_the_rest_of_an_answer_pass_marked_and_counted_once()
    {
        await using var service = await _upstream.GuardAsync(s_outputOpen);
        using var counters = new Counters(service);
        var text = string.Join(' ', Enumerable.Repeat(ScriptedUpstream.Harmless, 40));
        _upstream.Answer = async call =>
        {
            await StopEngineAsync(service);
            await call.AnswerAsync(text);
        };

        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        var completion = JsonSerializer.Deserialize<JsonElement>(events.Single(item => item.EventType == "completion").Data);
        Assert.Equal(text, completion.GetProperty("output").GetProperty("text").GetString());
        Assert.Equal("""[{"part":"output","reason":"unavailable"}]""", completion.GetProperty("degraded").GetRawText());
        Assert.Equal("answer", completion.GetProperty("decision").GetString());
        Assert.False(completion.TryGetProperty("output_judgment", out _));
        Assert.Single(events, item => item.EventType == "degraded");
        Assert.Equal(((0, 1), (0, 1)), (counters.Unscanned, counters.Degraded));
    }

    [Fact]
    public async Task Without_its_store_the_service_is_closed()
    {
        await using var service = await _upstream.GuardAsync(s_inputOpen, s_outputOpen);
        using var counters = new Counters(service);
        service.LoseStore();

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal(500, reply.Status);
        Assert.DoesNotContain(ScriptedUpstream.Harmless, reply.Text);
        Assert.Equal(((0, 0), 0), (counters.Unscanned, counters.Unrecorded));
    }

    [Fact]
    public async Task An_open_store_lets_judgments_pass_marked_as_not_recorded()
    {
        await using var service = await _upstream.GuardAsync(s_storeOpen, ("Access:KeyCacheTime", "00:00:00"));
        using var counters = new Counters(service);
        service.LoseStore();

        var completed = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));
        var assessed = await service.AssessAsync(Prompts.Assess(Prompts.Harmful));
        var streamed = await service.StreamAsync(Prompts.Complete(Prompts.Harmful, stream: true));

        Assert.All([completed, assessed], (Reply reply) =>
        {
            Assert.Equal(200, reply.Status);
            Assert.Equal(["store=internal"], reply.Headers.GetValues(Header));
            Assert.Equal("""[{"part":"store","reason":"internal"}]""", reply.Json.GetProperty("degraded").GetRawText());
        });
        Assert.Equal("refuse", assessed.Json.GetProperty("decision").GetString());
        Assert.Contains("degraded", streamed.Select(item => item.EventType));
        Assert.Equal(((0, 0), 3), (counters.Unscanned, counters.Unrecorded));
    }

    [Theory]
    [InlineData("fail_open", 200)]
    [InlineData("fail_closed", 500)]
    public async Task Keys_that_were_used_before_the_store_was_lost_open_as_long_as_it_may_be_away(string setting, int status)
    {
        await using var service = await _upstream.GuardAsync(("Failure:Store", setting), ("Access:KeyCacheTime", "00:00:00"));
        var (used, unused) = (await service.CreateKeyAsync(Scope.Assess), await service.CreateKeyAsync(Scope.Assess));
        Assert.Equal(200, (await service.SendAsync(HttpMethod.Post, "/v1/assess", used.Text, Prompts.Assess(Prompts.Harmless))).Status);
        service.LoseStore();

        Assert.Equal(status, (await service.SendAsync(HttpMethod.Post, "/v1/assess", used.Text, Prompts.Assess(Prompts.Harmless))).Status);
        Assert.Equal(500, (await service.SendAsync(HttpMethod.Post, "/v1/assess", unused.Text, Prompts.Assess(Prompts.Harmless))).Status);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_a_store_that_is_down()
    {
        Assert.SkipWhen(Environment.UserName == "root" && !OperatingSystem.IsWindows(), "Root writes to files that are read-only.");
        await using var service = await _upstream.GuardAsync();
        using var counters = new Counters(service);
        File.SetAttributes(service.Store, FileAttributes.ReadOnly);

        Assert.Equal(500, (await service.AssessAsync(Prompts.Assess(Prompts.Harmless))).Status);
        Assert.Equal((0, 0), counters.Unscanned);
    }

    [Fact]
    public async Task A_policy_that_is_not_valid_opens_nothing()
    {
        await using var service = await _upstream.GuardAsync(s_inputOpen, s_outputOpen, s_storeOpen);
        using var counters = new Counters(service);

        var put = await service.PutPolicyAsync("default", "id: [");
        var named = await service.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}", "policy": "nowhere"}""");
        var judged = await service.CompleteAsync(Prompts.Complete(Prompts.Harmful));

        Assert.Equal((400, 400), (put.Status, named.Status));
        Assert.Equal("refused", judged.Json.GetProperty("finish_reason").GetString());
        Assert.Empty(_upstream.Calls);
        Assert.Equal(((0, 0), (0, 0)), (counters.Unscanned, counters.Degraded));
    }

    public static TheoryData<string> BrokenUpstreams => ["500", "429", "garbage", "empty", "slow", "drops", "error in the stream", "tool calls", "endless"];

    [Theory]
    [MemberData(nameof(BrokenUpstreams))]
    public async Task A_broken_upstream_ends_in_an_error_and_never_in_unjudged_text(string how)
    {
        await using var service = await _upstream.GuardAsync(
            s_inputOpen, s_outputOpen, ("Upstream:Retries", "1"), ("Upstream:AttemptTimeout", "00:00:01"), ("Upstream:IdleTimeout", "00:00:01"),
            ("Upstream:MaxAnswerBytes", "20000"));
        using var counters = new Counters(service);
        _upstream.Answer = call => BreakAsync(call, how);

        var whole = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));
        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        Assert.InRange(whole.Status, 502, 504);
        Assert.StartsWith("urn:saferguard:problem:upstream-", Type(whole.Json));
        Assert.Equal("error", events[^1].EventType);
        Assert.StartsWith("urn:saferguard:problem:upstream-", Type(JsonSerializer.Deserialize<JsonElement>(events[^1].Data)));
        Assert.DoesNotContain("completion", events.Select(item => item.EventType));
        Assert.Equal((0, 0), counters.Unscanned);
        Assert.DoesNotContain(service.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Equal(200, (await service.AssessAsync(Prompts.Assess(Prompts.Harmless))).Status);
    }

    [Fact]
    public async Task An_upstream_that_drops_after_its_first_piece_is_not_asked_again_and_what_left_is_on_record()
    {
        await using var service = await _upstream.GuardAsync(("Windows:Characters", "60"), ("Windows:Overlap", "20"));
        _upstream.Answer = async call =>
        {
            await call.PieceAsync(ScriptedUpstream.Harmless);
            await Task.Delay(200);
            call.Http.Abort();
        };

        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        Assert.Single(_upstream.Calls);
        var left = string.Concat(events.Where(item => item.EventType == "output").Select(item => JsonSerializer.Deserialize<JsonElement>(item.Data).GetProperty("text").GetString()));
        Assert.Equal(ScriptedUpstream.Harmless[..40], left);
        var stored = Assert.Single(await service.StoredAsync());
        Assert.Equal(left, stored.GetProperty("output").GetProperty("text").GetString());
        Assert.Equal("interrupted", stored.GetProperty("finish_reason").GetString());
        Assert.Equal("interrupted", stored.GetProperty("withheld").GetProperty("reason").GetString());
        Assert.Equal(left.Length, stored.GetProperty("withheld").GetProperty("start").GetInt32());
    }

    private static Task BreakAsync(UpstreamCall call, string how) => how switch
    {
        "500" or "429" => call.FailAsync(int.Parse(how, System.Globalization.CultureInfo.InvariantCulture), "0"),
        "garbage" => call.Streams ? call.EventAsync("tea") : call.Http.Response.WriteAsync("""{"choices": "tea"}"""),
        "empty" => call.Http.Response.CompleteAsync(),
        "slow" => Task.Delay(-1, call.Http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default),
        "drops" => ThenAsync(() => call.Http.Abort()),
        "error in the stream" => ThenAsync(() => { }, async () =>
        {
            if (call.Streams) await call.EventAsync(new { error = new { message = "out of memory" } });
            else await call.Http.Response.WriteAsync("""{"error": {"message": "out of memory"}}""");
        }),
        "tool calls" => call.AnswerAsync("", "tool_calls"),
        _ => EndlessAsync(call),
    };

    private static async Task ThenAsync(Action then, Func<Task>? first = null)
    {
        if (first is not null) await first();
        then();
    }

    private static async Task EndlessAsync(UpstreamCall call)
    {
        try
        {
            if (!call.Streams) await call.Http.Response.WriteAsync("{\"choices\": [{\"message\": {\"content\": \"", call.Http.RequestAborted);
            while (!call.Http.RequestAborted.IsCancellationRequested)
            {
                if (call.Streams) await call.PieceAsync("tea ");
                else await call.Http.Response.WriteAsync("tea tea tea tea ", call.Http.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The service has gone, as it should.
        }
    }

    private static ValueTask StopEngineAsync(Service service) => service.Services.GetRequiredService<Guard>().DisposeAsync();

    private static string? Type(JsonElement problem) => problem.GetProperty("type").GetString();
}
