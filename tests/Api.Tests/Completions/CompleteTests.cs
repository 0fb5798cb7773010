using System.Text.Json;

namespace SaferGuard.Api.Tests.Completions;

public sealed class CompleteTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_refusal_is_a_result_that_names_its_rules_in_plain_words()
    {
        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmful));

        Assert.Equal(200, reply.Status);
        Assert.StartsWith("cmp_", reply.Id);
        Assert.Equal("completion", reply.Json.GetProperty("object").GetString());
        Assert.Equal("refused", reply.Json.GetProperty("finish_reason").GetString());
        Assert.Equal("policy", reply.Json.GetProperty("output").GetProperty("source").GetString());
        var text = reply.Json.GetProperty("output").GetProperty("text").GetString();
        var violated = reply.Json.GetProperty("trace").GetProperty("rule_check").EnumerateArray()
            .Where(check => check.GetProperty("verdict").GetString() == "violated");
        Assert.Contains(violated, check => text!.Contains($"rule {check.GetProperty("rule").GetString()}:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_model_that_answers_a_harmless_prompt_has_no_output_and_says_why()
    {
        var reply = await service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        Assert.Equal(200, reply.Status);
        Assert.Equal(JsonValueKind.Null, reply.Json.GetProperty("output").ValueKind);
        Assert.Equal("no_answer_source", reply.Json.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task A_completion_is_an_assessment_with_an_output()
    {
        var assessed = await service.AssessAsync(Prompts.Assess(Prompts.Harmful));
        var completed = await service.CompleteAsync(Prompts.Complete(Prompts.Harmful));

        Assert.Equal(
            [.. assessed.Json.EnumerateObject().Select(property => property.Name), "output", "finish_reason"],
            completed.Json.EnumerateObject().Select(property => property.Name));
        Assert.Equal(assessed.Json.GetProperty("trace").GetRawText(), completed.Json.GetProperty("trace").GetRawText());
        Assert.Equal(assessed.Json.GetProperty("scores").GetRawText(), completed.Json.GetProperty("scores").GetRawText());
    }

    [Fact]
    public async Task All_options_of_a_completion_are_taken()
    {
        var reply = await service.CompleteAsync(
            """{"input": "Hello", "trace": "brief", "max_tokens": 1, "temperature": 2, "seed": 2147483647, "stream": false}""");

        Assert.Equal(200, reply.Status);
    }
}
