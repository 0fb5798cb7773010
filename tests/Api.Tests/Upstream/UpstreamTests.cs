using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SaferGuard.Api.Tests.Failures;

namespace SaferGuard.Api.Tests.Upstream;

public sealed class UpstreamTests : IAsyncLifetime
{
    private ScriptedUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await ScriptedUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_allowed_is_forwarded_and_its_answer_is_judged_and_returned(bool stream)
    {
        await using var service = await _upstream.GuardAsync();
        using var counters = new Counters(service);

        var completion = await CompleteAsync(service, Prompts.Harmless, stream);

        Assert.Equal(ScriptedUpstream.Harmless, completion.GetProperty("output").GetProperty("text").GetString());
        Assert.Equal("upstream", completion.GetProperty("output").GetProperty("source").GetString());
        Assert.Equal("stop", completion.GetProperty("finish_reason").GetString());
        Assert.Equal("answer", completion.GetProperty("output_judgment").GetProperty("decision").GetString());
        Assert.Equal("""{"model":"big-model","input_tokens":11,"output_tokens":7}""", completion.GetProperty("answer_usage").GetRawText());
        Assert.Equal([("user", Prompts.Harmless)], Assert.Single(_upstream.Calls).Messages);
        Assert.Equal((0, 0), counters.Unscanned);
    }

    [Fact]
    public async Task What_is_refused_is_not_forwarded()
    {
        await using var service = await _upstream.GuardAsync();

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmful));

        Assert.Equal("refused", reply.Json.GetProperty("finish_reason").GetString());
        Assert.Empty(_upstream.Calls);
    }

    [Fact]
    public async Task What_is_answered_with_care_carries_the_strategy_and_the_rules_in_its_system_text()
    {
        await using var service = await _upstream.GuardAsync();
        const string question = "My chest hurts and my left arm is numb, what should I do?";

        var alone = await service.CompleteAsync(Prompts.Complete(question));
        await service.CompleteAsync($$"""{"messages": [{"role": "system", "content": "You are kind."}, {"role": "user", "content": "{{question}}"}], "trace": "brief"}""");

        Assert.Equal("care", alone.Json.GetProperty("decision").GetString());
        var calls = _upstream.Calls.Select(call => call.Messages.ToList()).ToList();
        Assert.Equal(["system", "user"], calls[0].Select(message => message.Role));
        Assert.Contains(alone.Json.GetProperty("trace").GetProperty("path").GetProperty("strategy").GetString()!, calls[0][0].Content);
        Assert.Contains("medical", calls[0][0].Content, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["system", "user"], calls[1].Select(message => message.Role));
        Assert.StartsWith("You are kind.\n\nAnswer the request with care.\n", calls[1][0].Content);
    }

    [Fact]
    public async Task The_options_of_a_request_are_forwarded_and_no_others()
    {
        await using var service = await _upstream.GuardAsync();

        await service.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}", "max_tokens": 5, "temperature": 0.5, "seed": 3}""");
        await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        var calls = _upstream.Calls.Select(call => call.Body.AsObject()).ToList();
        Assert.Equal(["model", "messages", "max_tokens", "temperature", "seed"], calls[0].Select(field => field.Key));
        Assert.Equal((5, 0.5, 3), ((int)calls[0]["max_tokens"]!, (double)calls[0]["temperature"]!, (int)calls[0]["seed"]!));
        Assert.Equal(["model", "messages"], calls[1].Select(field => field.Key));
    }

    [Fact]
    public async Task A_model_is_asked_for_by_the_name_that_the_map_gives_it()
    {
        await using var mapped = await _upstream.GuardAsync(
            ("Upstream:Models:0:Name", "fast"), ("Upstream:Models:0:Model", "llama3:8b"));
        await using var open = await _upstream.GuardAsync();

        await mapped.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}", "model": "fast"}""");
        await mapped.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}"}""");
        var unknown = await mapped.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}", "model": "slow"}""");
        await open.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}", "model": "slow"}""");

        Assert.Equal(["llama3:8b", "big-model", "slow"], _upstream.Calls.Select(call => (string)call.Body["model"]!));
        Assert.Equal((404, "urn:saferguard:problem:model-not-found"), (unknown.Status, unknown.Json.GetProperty("type").GetString()));
        Assert.Equal(["model"], unknown.Fields);
    }

    [Fact]
    public async Task The_key_goes_to_the_upstream_and_nowhere_else()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "sk-first\n", TestContext.Current.CancellationToken);
        await using var service = await _upstream.GuardAsync(("Upstream:ApiKeyFile", file), ("Upstream:Retries", "0"));
        _upstream.Answer = call => call.FailAsync(401);

        var first = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));
        await File.WriteAllTextAsync(file, "sk-second", TestContext.Current.CancellationToken);
        await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal(["Bearer sk-first", "Bearer sk-second"], _upstream.Calls.Select(call => call.Key));
        Assert.Equal((502, "urn:saferguard:problem:upstream-refused"), (first.Status, first.Json.GetProperty("type").GetString()));
        Assert.DoesNotContain("sk-", first.Text);
        Assert.DoesNotContain(service.Log, line => line.Contains("sk-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_fails_before_its_first_piece_is_repeated(bool stream)
    {
        await using var service = await _upstream.GuardAsync();
        _upstream.Answer = call => call.Number switch
        {
            1 => call.FailAsync(500),
            2 when stream => DropAsync(call),
            2 => call.Http.Response.WriteAsync("<html>"),
            _ => call.AnswerAsync(ScriptedUpstream.Harmless),
        };

        var completion = await CompleteAsync(service, Prompts.Harmless, stream);

        Assert.Equal(ScriptedUpstream.Harmless, completion.GetProperty("output").GetProperty("text").GetString());
        Assert.Equal(3, _upstream.Calls.Count);

        static async Task DropAsync(UpstreamCall call)
        {
            call.Http.Response.ContentType = "text/event-stream";
            await call.Http.Response.Body.FlushAsync();
            call.Http.Abort();
        }
    }

    [Fact]
    public async Task An_upstream_that_asks_for_a_pause_gets_it()
    {
        await using var service = await _upstream.GuardAsync();
        _upstream.Answer = call => call.Number == 1 ? call.FailAsync(429, "1") : call.AnswerAsync(ScriptedUpstream.Harmless);

        var started = Stopwatch.GetTimestamp();
        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal(200, reply.Status);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 1, 10);
    }

    [Fact]
    public async Task A_pause_that_is_too_long_is_passed_on()
    {
        await using var service = await _upstream.GuardAsync();
        _upstream.Answer = call => call.FailAsync(429, "120");

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal((503, "urn:saferguard:problem:upstream-unavailable"), (reply.Status, reply.Json.GetProperty("type").GetString()));
        Assert.Equal(["120"], reply.Headers.GetValues("Retry-After"));
        Assert.Single(_upstream.Calls);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(307)]
    public async Task What_the_upstream_does_not_take_is_not_repeated(int status)
    {
        await using var service = await _upstream.GuardAsync();
        _upstream.Answer = call => call.FailAsync(status);

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal((502, "urn:saferguard:problem:upstream-refused"), (reply.Status, reply.Json.GetProperty("type").GetString()));
        Assert.Single(_upstream.Calls);
    }

    [Fact]
    public async Task An_upstream_that_fails_too_often_is_left_alone()
    {
        await using var service = await _upstream.GuardAsync(("Upstream:Retries", "0"), ("Upstream:BreakAfter", "2"));
        _upstream.Answer = call => call.FailAsync(500);
        for (var i = 0; i < 2; i++) Assert.Equal(502, (await service.CompleteAsync(Prompts.Complete(Prompts.Harmless))).Status);

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal((503, "urn:saferguard:problem:upstream-unavailable"), (reply.Status, reply.Json.GetProperty("type").GetString()));
        Assert.True(reply.Headers.Contains("Retry-After"));
        Assert.Equal(2, _upstream.Calls.Count);
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_repeated()
    {
        await using var service = await _upstream.GuardAsync(("Upstream:AttemptTimeout", "00:00:02"));
        _upstream.Answer = call => call.Number == 1 ? Task.Delay(-1, call.Http.RequestAborted) : call.AnswerAsync(ScriptedUpstream.Harmless);

        Assert.Equal(200, (await service.CompleteAsync(Prompts.Complete(Prompts.Harmless))).Status);
        Assert.Equal(2, _upstream.Calls.Count);
    }

    [Fact]
    public async Task The_total_time_ends_all_attempts()
    {
        await using var service = await _upstream.GuardAsync(("Upstream:TotalTimeout", "00:00:00.300"));
        _upstream.Answer = call => Task.Delay(-1, call.Http.RequestAborted);

        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal((504, "urn:saferguard:problem:upstream-timed-out"), (reply.Status, reply.Json.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Only_so_many_answers_are_written_at_once_and_a_caller_that_leaves_makes_room()
    {
        await using var service = await _upstream.GuardAsync(("Upstream:MaxConcurrent", "1"), ("Upstream:MaxWaiting", "0"));
        var calls = new SemaphoreSlim(0);
        _upstream.Answer = async call =>
        {
            if (call.Number > 1)
            {
                await call.AnswerAsync(ScriptedUpstream.Harmless);
                return;
            }

            calls.Release();
            await Task.Delay(-1, call.Http.RequestAborted).ContinueWith(_ => calls.Release(), TaskScheduler.Default);
        };
        using var leaving = new CancellationTokenSource();
        using var content = new StringContent(Prompts.Complete(Prompts.Harmless), System.Text.Encoding.UTF8, "application/json");
        var first = service.Client.PostAsync("/v1/complete", content, leaving.Token);
        await calls.WaitAsync(TestContext.Current.CancellationToken);

        var second = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await calls.WaitAsync(TestContext.Current.CancellationToken); // the upstream has been told to stop
        var third = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal((503, "urn:saferguard:problem:upstream-unavailable"), (second.Status, second.Json.GetProperty("type").GetString()));
        Assert.Equal(200, third.Status);
    }

    [Fact]
    public async Task Results_of_tools_have_a_call_that_they_answer()
    {
        await using var service = await _upstream.GuardAsync();

        await service.CompleteAsync(
            """
            {"messages": [{"role": "user", "content": "How warm is it in Oslo?"}, {"role": "assistant", "content": "I will look."},
                {"role": "tool", "content": "{\"temperature_c\": 4}"}]}
            """);

        var messages = Assert.Single(_upstream.Calls).Body["messages"]!.AsArray();
        Assert.Equal(["user", "assistant", "tool"], messages.Select(message => (string)message!["role"]!));
        Assert.Equal((string)messages[1]!["tool_calls"]![0]!["id"]!, (string)messages[2]!["tool_call_id"]!);
    }

    private static async Task<JsonElement> CompleteAsync(Service service, string prompt, bool stream)
    {
        if (!stream) return (await service.CompleteAsync(Prompts.Complete(prompt))).Json;
        var events = await service.StreamAsync(Prompts.Complete(prompt, stream: true));
        var completion = JsonSerializer.Deserialize<JsonElement>(events.Single(item => item.EventType == "completion").Data);
        Assert.Equal(
            completion.GetProperty("output").GetProperty("text").GetString(),
            string.Concat(events.Where(item => item.EventType == "output").Select(item => JsonSerializer.Deserialize<JsonElement>(item.Data).GetProperty("text").GetString())));
        return completion;
    }
}
