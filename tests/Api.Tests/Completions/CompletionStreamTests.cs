using System.Text.Json;

namespace SaferGuard.Api.Tests.Completions;

public sealed class CompletionStreamTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_refusal_streams_its_stages_then_its_text_then_the_stored_body()
    {
        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmful, stream: true));

        Assert.Equal(
            ["assessment", "rule_check", "path", "judgment", "output", "completion", "message"],
            events.Select(item => item.EventType));
        Assert.Equal("[DONE]", events[^1].Data);
        var completion = JsonSerializer.Deserialize<JsonElement>(events[^2].Data);
        var text = JsonSerializer.Deserialize<JsonElement>(events[^3].Data).GetProperty("text").GetString();
        Assert.Equal(completion.GetProperty("output").GetProperty("text").GetString(), text);
    }

    [Fact]
    public async Task A_prompt_without_an_answer_streams_no_output()
    {
        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        Assert.Equal(["assessment", "rule_check", "path", "judgment", "completion", "message"], events.Select(item => item.EventType));
    }

    [Fact]
    public async Task The_streamed_stages_say_what_the_judgment_says()
    {
        var events = (await service.StreamAsync(Prompts.Complete(Prompts.Harmful, stream: true)))
            .SkipLast(1).ToDictionary(item => item.EventType, item => JsonSerializer.Deserialize<JsonElement>(item.Data));

        var trace = events["judgment"].GetProperty("trace");
        Assert.Equal(trace.GetProperty("assessment").GetProperty("categories").GetRawText(), events["assessment"].GetProperty("categories").GetRawText());
        Assert.Equal(trace.GetProperty("path").GetProperty("decision").GetString(), events["path"].GetProperty("decision").GetString());
        Assert.Equal(
            trace.GetProperty("rule_check").EnumerateArray().Select(check => $"{check.GetProperty("rule")} {check.GetProperty("verdict")} {check.GetProperty("score")}"),
            events["rule_check"].EnumerateArray().Select(check => $"{check.GetProperty("rule")} {check.GetProperty("verdict")} {check.GetProperty("score")}"));
        Assert.Equal(events["completion"].GetProperty("id").GetString(), events["judgment"].GetProperty("id").GetString());
    }

    [Fact]
    public async Task The_completion_event_carries_the_stored_bytes()
    {
        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmful, stream: true));
        var completion = events.Single(item => item.EventType == "completion").Data;

        var stored = await service.GetAsync($"/v1/traces/{JsonSerializer.Deserialize<JsonElement>(completion).GetProperty("id").GetString()}");

        Assert.Equal(completion, stored.Text);
    }

    [Fact]
    public async Task What_fails_before_the_first_event_is_an_ordinary_problem()
    {
        var text = string.Join(' ', Enumerable.Repeat("word", 100_000));

        var reply = await service.CompleteAsync($$"""{"input": "{{text}}", "stream": true}""");

        Assert.Equal((413, "application/problem+json"), (reply.Status, reply.ContentType));
        Assert.Equal(["input"], reply.Fields);
    }

    [Fact]
    public async Task What_fails_later_is_an_event_and_the_stream_is_not_done()
    {
        await using var broken = new Service();
        await broken.InitializeAsync();
        broken.LoseStore();

        var events = await broken.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        Assert.Equal(["assessment", "rule_check", "path", "judgment", "error"], events.Select(item => item.EventType));
        Assert.Equal("urn:saferguard:problem:internal", JsonSerializer.Deserialize<JsonElement>(events[^1].Data).GetProperty("type").GetString());
    }
}
