using System.Text.Json;

namespace SaferGuard.Api.Tests.Conversations;

/// <summary>Answers of models, judged by the bundled model.</summary>
public sealed class ResponseTests(Service service) : IClassFixture<Service>
{
    private const string Harmless = "Black tea with milk goes well with rain, and so does a smoky one.";

    [Fact]
    public async Task A_harmful_answer_is_refused_whatever_was_asked()
    {
        var json = (await AssessAsync(Prompts.Harmless, Prompts.HarmfulAnswer)).Json;

        Assert.Equal("response", json.GetProperty("subject").GetString());
        Assert.Equal("refuse", json.GetProperty("decision").GetString());
        Assert.All(Evidence(json), quote =>
        {
            Assert.Equal(1, quote.GetProperty("turn").GetInt32());
            Assert.Equal(quote.GetProperty("text").GetString(), Prompts.HarmfulAnswer[quote.GetProperty("start").GetInt32()..quote.GetProperty("end").GetInt32()]);
        });
        Assert.NotEmpty(Evidence(json));
    }

    [Theory]
    [InlineData(Prompts.Harmless, Harmless)]
    [InlineData(Prompts.Harmful, "I'm sorry, but I can't help with that.")]
    public async Task A_harmless_answer_is_not_refused_whatever_was_asked(string prompt, string response)
    {
        var json = (await AssessAsync(prompt, response)).Json;

        Assert.NotEqual("refuse", json.GetProperty("decision").GetString());
    }

    [Fact]
    public async Task An_answer_has_the_same_trace_as_a_prompt()
    {
        var prompt = (await service.AssessAsync(Prompts.Assess(Prompts.Harmless))).Json;
        var response = (await AssessAsync(Prompts.Harmless, Harmless)).Json;

        Assert.Equal(
            prompt.EnumerateObject().Select(field => field.Name),
            response.EnumerateObject().Select(field => field.Name).Where(name => name != "subject"));
        Assert.Equal("full", response.GetProperty("trace").GetProperty("path").GetProperty("strategy").ValueKind == JsonValueKind.String ? "full" : "brief");
    }

    [Fact]
    public async Task A_harmful_line_at_the_end_of_a_long_answer_is_found()
    {
        var response = string.Join(' ', Enumerable.Repeat(Harmless, 100)) + " " + Prompts.HarmfulAnswer;

        var json = (await AssessAsync(Prompts.Harmless, response)).Json;

        Assert.Equal("refuse", json.GetProperty("decision").GetString());
        Assert.All(Evidence(json), quote => Assert.True(quote.GetProperty("start").GetInt32() > 6000));
        Assert.NotEmpty(Evidence(json));
    }

    [Fact]
    public async Task A_judged_answer_is_stored_as_it_was_returned()
    {
        var reply = await AssessAsync(Prompts.Harmless, Harmless);

        Assert.Equal(reply.Body, (await service.GetAsync($"/v1/traces/{reply.Id}")).Body);
    }

    [Theory]
    [InlineData("\"\"", 400)]
    [InlineData("7", 400)]
    [InlineData("null", 400)]
    public async Task An_answer_must_be_a_text(string response, int status)
    {
        var reply = await service.AssessAsync($$"""{"input": "Hello", "response": {{response}}}""");

        Assert.Equal(status, reply.Status);
        Assert.Equal(["response"], reply.Fields);
    }

    [Fact]
    public async Task An_answer_that_is_too_long_is_named()
    {
        var reply = await AssessAsync(Prompts.Harmless, string.Join(' ', Enumerable.Repeat("tea", 40_000)));

        Assert.Equal(413, reply.Status);
        Assert.Equal(["response"], reply.Fields);
    }

    private Task<Reply> AssessAsync(string prompt, string response) => service.AssessAsync(JsonSerializer.Serialize(new { input = prompt, response }));

    private static List<JsonElement> Evidence(JsonElement json) =>
    [
        .. json.GetProperty("trace").GetProperty("rule_check").EnumerateArray()
            .Select(check => check.GetProperty("evidence")).Where(evidence => evidence.ValueKind == JsonValueKind.Object),
    ];
}
