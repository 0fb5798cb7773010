using System.Text.Json;

namespace SaferGuard.Api.Tests.Completions;

public sealed class AnswerTests : IAsyncLifetime
{
    private readonly Service _service = new() { Settings = { ["Model:Path"] = AnsweringModel.Folder } };

    public ValueTask InitializeAsync() => _service.InitializeAsync();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task An_answer_comes_from_the_model_and_ends_for_a_reason()
    {
        var reply = await _service.CompleteAsync($$"""{"input": "{{Prompts.Harmless}}", "max_tokens": 3}""");

        Assert.Equal("model", reply.Json.GetProperty("output").GetProperty("source").GetString());
        Assert.Contains(reply.Json.GetProperty("finish_reason").GetString(), (string[])["stop", "length"]);
    }

    [Fact]
    public async Task A_seed_makes_a_sampled_answer_repeatable()
    {
        var json = $$"""{"input": "{{Prompts.Harmless}}", "max_tokens": 16, "temperature": 2, "seed": 7}""";

        var first = await _service.CompleteAsync(json);
        var second = await _service.CompleteAsync(json);
        var other = await _service.CompleteAsync(json.Replace("\"seed\": 7", "\"seed\": 8", StringComparison.Ordinal));

        Assert.Equal(first.Json.GetProperty("output").GetRawText(), second.Json.GetProperty("output").GetRawText());
        Assert.NotEqual(first.Json.GetProperty("output").GetRawText(), other.Json.GetProperty("output").GetRawText());
    }

    [Fact]
    public async Task The_streamed_pieces_add_up_to_the_answer()
    {
        var events = await _service.StreamAsync($$"""{"input": "{{Prompts.Harmless}}", "max_tokens": 16, "temperature": 2, "stream": true}""");

        var pieces = events.Where(item => item.EventType == "output").Select(item => Json(item.Data).GetProperty("text").GetString());
        var completion = Json(events.Single(item => item.EventType == "completion").Data);
        Assert.Equal(completion.GetProperty("output").GetProperty("text").GetString(), string.Concat(pieces));
    }

    [Fact]
    public async Task A_model_that_answers_still_refuses()
    {
        var reply = await _service.CompleteAsync(Prompts.Complete(Prompts.Harmful));

        Assert.Equal("refused", reply.Json.GetProperty("finish_reason").GetString());
        Assert.Equal("policy", reply.Json.GetProperty("output").GetProperty("source").GetString());
    }

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);
}
