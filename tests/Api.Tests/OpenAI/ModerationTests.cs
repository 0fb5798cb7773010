using System.Text;
using System.Text.Json;

namespace SaferGuard.Api.Tests.OpenAI;

public sealed class ModerationTests(Service service) : IClassFixture<Service>
{
    private static readonly string[] s_categories =
    [
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent",
        "sexual", "sexual/minors", "violence", "violence/graphic",
    ];

    [Fact]
    public async Task A_harmful_text_is_flagged_in_both_vocabularies()
    {
        var reply = await ModerateAsync($"\"{Prompts.Harmful}\"");

        var result = reply.Json.GetProperty("results").EnumerateArray().Single();
        Assert.Equal(["flagged", "categories", "category_scores", "category_applied_input_types", "saferguard"], Names(result));
        Assert.True(result.GetProperty("flagged").GetBoolean());
        Assert.Equal(s_categories, Names(result.GetProperty("categories")).Order(StringComparer.Ordinal));
        Assert.Equal(s_categories, Names(result.GetProperty("category_scores")).Order(StringComparer.Ordinal));
        Assert.True(result.GetProperty("categories").GetProperty("illicit").GetBoolean());
        Assert.False(result.GetProperty("categories").GetProperty("hate").GetBoolean());
        var verdict = result.GetProperty("saferguard");
        Assert.Contains("S5", verdict.GetProperty("categories").EnumerateArray().Select(category => category.GetString()));
        Assert.Equal(verdict.GetProperty("category_scores").GetProperty("S5").GetDouble(), result.GetProperty("category_scores").GetProperty("illicit").GetDouble());
        Assert.Equal(200, (await service.GetAsync($"/v1/traces/{verdict.GetProperty("trace_id").GetString()}")).Status);
    }

    [Fact]
    public async Task Texts_are_judged_each_and_in_their_order()
    {
        var results = (await ModerateAsync($"""["{Prompts.Harmless}", "{Prompts.Harmful}", "{Prompts.Harmless}"]""")).Json.GetProperty("results").EnumerateArray();

        Assert.Equal([false, true, false], results.Select(result => result.GetProperty("flagged").GetBoolean()));
    }

    [Fact]
    public async Task Parts_are_one_text()
    {
        var reply = await ModerateAsync($$"""[{"type": "text", "text": "{{Prompts.Harmless}}"}, {"type": "text", "text": "{{Prompts.Harmful}}"}]""");

        Assert.True(reply.Json.GetProperty("results").EnumerateArray().Single().GetProperty("flagged").GetBoolean());
    }

    [Theory]
    [InlineData("1", "input")]
    [InlineData("\"\"", "input")]
    [InlineData("[]", "input")]
    [InlineData("[\"a\", \" \"]", "input[1]")]
    [InlineData("[\"a\", 1]", "input[1]")]
    [InlineData("[\"\\u0000\"]", "input[0]")]
    [InlineData("[\"a\", {\"type\": \"text\", \"text\": \"a\"}]", "input")]
    [InlineData("[{\"type\": \"image_url\", \"image_url\": {\"url\": \"x\"}}]", "input[0].type")]
    [InlineData("[{\"type\": \"text\"}]", "input[0].text")]
    public async Task Bad_input_is_named(string input, string field)
    {
        var reply = await ModerateAsync(input);

        Assert.Equal((400, field), (reply.Status, reply.Json.GetProperty("error").GetProperty("param").GetString()));
    }

    [Fact]
    public async Task More_texts_than_a_caller_may_have_judged_at_once_are_refused()
    {
        var reply = await ModerateAsync($"[{string.Join(',', Enumerable.Repeat("\"a\"", 65))}]");

        Assert.Equal((400, "input"), (reply.Status, reply.Json.GetProperty("error").GetProperty("param").GetString()));
    }

    [Fact]
    public async Task One_text_that_is_too_long_is_named_by_its_place()
    {
        var reply = await ModerateAsync($"""["a", "{string.Join(' ', Enumerable.Repeat("word", 100_000))}"]""");

        Assert.Equal((413, "input[1]"), (reply.Status, reply.Json.GetProperty("error").GetProperty("param").GetString()));
    }

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(property => property.Name);

    private Task<Reply> ModerateAsync(string input) => service.PostAsync("/v1/moderations", Encoding.UTF8.GetBytes($$"""{"model": "omni-moderation-latest", "input": {{input}}}"""));
}
