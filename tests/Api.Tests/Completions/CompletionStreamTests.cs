using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SaferGuard.Api.Tests.Completions;

public sealed class CompletionStreamTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_refusal_streams_its_stages_then_its_text_then_the_stored_body()
    {
        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmful, stream: true));

        Assert.Equal(
            ["assessment", "rule_check", "path", "output", "completion", "message"],
            WithoutExplanations(events));
        Assert.Equal("[DONE]", events[^1].Data);
        var completion = JsonSerializer.Deserialize<JsonElement>(events[^2].Data);
        var text = JsonSerializer.Deserialize<JsonElement>(events[^3].Data).GetProperty("text").GetString();
        Assert.Equal(completion.GetProperty("output").GetProperty("text").GetString(), text);
    }

    [Fact]
    public async Task A_prompt_without_an_answer_streams_no_output()
    {
        var events = await service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        Assert.Equal(["assessment", "rule_check", "path", "completion", "message"], WithoutExplanations(events));
    }

    [Fact]
    public async Task The_streamed_stages_and_explanations_add_up_to_the_trace()
    {
        var trace = new JsonObject();
        foreach (var item in await service.StreamAsync(Prompts.Complete(Prompts.Harmful, stream: true)))
        {
            switch (item.EventType)
            {
                case "assessment" or "rule_check" or "path":
                    Assert.True(trace.TryAdd(item.EventType, JsonNode.Parse(item.Data)));
                    break;
                case "explanation":
                    var (name, stage) = Assert.Single(JsonNode.Parse(item.Data)!.AsObject());
                    trace[name] = stage!.DeepClone();
                    break;
                case "completion":
                    Assert.True(JsonNode.DeepEquals(JsonNode.Parse(item.Data)!["trace"], trace));
                    return;
            }
        }

        Assert.Fail("There was no completion.");
    }

    [Fact]
    public async Task A_brief_stream_has_no_explanations()
    {
        var events = await service.StreamAsync($$"""{"input": "{{Prompts.Harmful}}", "trace": "brief", "stream": true}""");

        Assert.DoesNotContain("explanation", events.Select(item => item.EventType));
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

        Assert.Equal(["assessment", "rule_check", "path", "error"], WithoutExplanations(events));
        Assert.Equal("urn:saferguard:problem:internal", JsonSerializer.Deserialize<JsonElement>(events[^1].Data).GetProperty("type").GetString());
    }

    private static IEnumerable<string> WithoutExplanations(IEnumerable<SseItem<string>> events) =>
        events.Select(item => item.EventType).Where(name => name != "explanation");
}
