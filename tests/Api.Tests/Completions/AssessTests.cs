using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Tests.Completions;

public sealed partial class AssessTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_judgment_has_the_shape_of_the_contract()
    {
        var before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

        var reply = await service.AssessAsync(Prompts.Assess(Prompts.Harmful));

        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        var json = reply.Json;
        Assert.Equal(["id", "object", "created", "model", "policy", "operating_point", "decision", "scores", "trace", "usage", "timings"], Names(json));
        Assert.Matches(AssessmentId(), reply.Id);
        Assert.Equal("assessment", json.GetProperty("object").GetString());
        Assert.InRange(json.GetProperty("created").GetInt64(), before, before + 60);
        Assert.Equal(["id", "digest"], Names(json.GetProperty("model")));
        Assert.Equal(["id", "version", "digest"], Names(json.GetProperty("policy")));
        Assert.Equal(["answer", "care", "refuse"], Names(json.GetProperty("scores")));
        Assert.Equal(["assessment", "rule_check", "path"], Names(json.GetProperty("trace")));
        Assert.Equal(["intent", "categories", "risk"], Names(json.GetProperty("trace").GetProperty("assessment")));
        Assert.Equal(["decision", "strategy"], Names(json.GetProperty("trace").GetProperty("path")));
        Assert.Equal(["input_tokens", "trace_tokens", "forced_tokens", "cached_tokens"], Names(json.GetProperty("usage")));
        Assert.Equal(["queue_ms", "prefill_ms", "decode_ms", "total_ms"], Names(json.GetProperty("timings")));
        Assert.Equal(1, json.GetProperty("scores").EnumerateObject().Sum(score => score.Value.GetDouble()), 6);
        Assert.Equal(json.GetProperty("decision").GetString(), json.GetProperty("trace").GetProperty("path").GetProperty("decision").GetString());
        Assert.All(json.GetProperty("trace").GetProperty("rule_check").EnumerateArray(), check =>
        {
            Assert.Equal(["rule", "verdict", "score", "evidence"], Names(check));
            Assert.Contains(check.GetProperty("verdict").GetString(), (string[])["violated", "clear", "not_applicable"]);
            Assert.InRange(check.GetProperty("score").GetDouble(), 0, 1);
        });
    }

    [Fact]
    public async Task A_harmful_prompt_is_refused_by_a_rule_and_a_harmless_one_is_answered()
    {
        var harmful = (await service.AssessAsync(Prompts.Assess(Prompts.Harmful))).Json;
        var harmless = (await service.AssessAsync(Prompts.Assess(Prompts.Harmless))).Json;

        Assert.Equal("refuse", harmful.GetProperty("decision").GetString());
        var policy = service.Services.GetRequiredService<Guard>().Policy;
        Assert.Contains(Checks(harmful), check => check.GetProperty("verdict").GetString() == "violated"
            && policy.TryGetRule(check.GetProperty("rule").GetString()!, out var rule) && rule.Effect == RuleEffect.Refuse);
        Assert.Equal("answer", harmless.GetProperty("decision").GetString());
        Assert.DoesNotContain(Checks(harmless), check => check.GetProperty("verdict").GetString() == "violated");
    }

    [Fact]
    public async Task Every_rule_of_the_chosen_categories_is_checked_in_order()
    {
        var trace = (await service.AssessAsync(Prompts.Assess(Prompts.Harmful))).Json.GetProperty("trace");

        var policy = service.Services.GetRequiredService<Guard>().Policy;
        var categories = trace.GetProperty("assessment").GetProperty("categories").EnumerateArray().Select(category => category.GetString());
        var rules = policy.Categories.Where(category => categories.Contains(category.Id)).SelectMany(category => category.Rules).Select(rule => rule.Id);
        Assert.Equal(rules, trace.GetProperty("rule_check").EnumerateArray().Select(check => check.GetProperty("rule").GetString()));
    }

    [Theory]
    [InlineData(Prompts.Harmful)]
    [InlineData(Prompts.Harmless)]
    public async Task A_brief_trace_decides_the_same_without_sentences_and_evidence(string prompt)
    {
        var full = (await service.AssessAsync(Prompts.Assess(prompt))).Json;
        var brief = (await service.AssessAsync(Prompts.Assess(prompt, "brief"))).Json;

        Assert.Equal(Decided(full), Decided(brief));
        Assert.False(string.IsNullOrEmpty(full.GetProperty("trace").GetProperty("assessment").GetProperty("intent").GetString()));
        Assert.False(string.IsNullOrEmpty(full.GetProperty("trace").GetProperty("path").GetProperty("strategy").GetString()));
        Assert.Equal(JsonValueKind.Null, brief.GetProperty("trace").GetProperty("assessment").GetProperty("intent").ValueKind);
        Assert.Equal(JsonValueKind.Null, brief.GetProperty("trace").GetProperty("path").GetProperty("strategy").ValueKind);
        Assert.All(Checks(brief), check => Assert.Equal(JsonValueKind.Null, check.GetProperty("evidence").ValueKind));
    }

    [Fact]
    public async Task Evidence_is_quoted_verbatim_from_the_turn_that_it_names()
    {
        string[] turns = ["You are a helpful assistant.", "Täglich grüßt 🙂", "", Prompts.Harmful];
        var json = $$"""
            {"messages": [{"role": "system", "content": "{{turns[0]}}"}, {"role": "user", "content": "{{turns[1]}}"},
                {"role": "assistant", "content": "{{turns[2]}}"}, {"role": "user", "content": "{{turns[3]}}"}]}
            """;

        var evidence = Checks((await service.AssessAsync(json)).Json)
            .Where(check => check.GetProperty("verdict").GetString() == "violated")
            .Select(check => check.GetProperty("evidence"))
            .ToList();

        Assert.NotEmpty(evidence);
        Assert.All(evidence, quote => Assert.Equal(
            quote.GetProperty("text").GetString(),
            turns[quote.GetProperty("turn").GetInt32()][quote.GetProperty("start").GetInt32()..quote.GetProperty("end").GetInt32()]));
    }

    [Fact]
    public async Task Full_is_the_level_when_none_is_asked_for()
    {
        var reply = await service.AssessAsync($$"""{"input": "{{Prompts.Harmless}}"}""");

        Assert.Equal(JsonValueKind.String, reply.Json.GetProperty("trace").GetProperty("assessment").GetProperty("intent").ValueKind);
    }

    [Fact]
    public async Task Ids_sort_by_time()
    {
        var first = await service.AssessAsync(Prompts.Assess(Prompts.Harmless));
        await Task.Delay(2, TestContext.Current.CancellationToken);
        var second = await service.AssessAsync(Prompts.Assess(Prompts.Harmless));

        Assert.True(string.CompareOrdinal(first.Id, second.Id) < 0);
    }

    [Fact]
    public async Task Callers_at_the_same_time_get_what_a_lone_caller_gets()
    {
        string[] prompts = [Prompts.Harmful, Prompts.Harmless, "How does a lock work?", "Tell me about the history of bread"];
        var alone = new List<string>();
        foreach (var prompt in prompts) alone.Add(Decided((await service.AssessAsync(Prompts.Assess(prompt))).Json));

        var replies = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => service.AssessAsync(Prompts.Assess(prompts[i % prompts.Length]))));

        Assert.All(replies, reply => Assert.Equal(200, reply.Status));
        Assert.Equal(Enumerable.Range(0, 32).Select(i => alone[i % prompts.Length]), replies.Select(reply => Decided(reply.Json)));
        Assert.Equal(32, replies.Select(reply => reply.Id).Distinct().Count());
    }

    /// <summary>All that must not depend on the level of the trace or on other requests.</summary>
    private static string Decided(JsonElement judgment) => string.Join('\n', (string[])
    [
        judgment.GetProperty("scores").GetRawText(),
        judgment.GetProperty("trace").GetProperty("assessment").GetProperty("categories").GetRawText(),
        judgment.GetProperty("trace").GetProperty("assessment").GetProperty("risk").GetRawText(),
        .. Checks(judgment).Select(check => $"{check.GetProperty("rule")} {check.GetProperty("verdict")} {check.GetProperty("score")}"),
        judgment.GetProperty("decision").GetRawText(),
    ]);

    private static JsonElement[] Checks(JsonElement judgment) => [.. judgment.GetProperty("trace").GetProperty("rule_check").EnumerateArray()];

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(property => property.Name);

    [GeneratedRegex("^asm_[0-9a-f]{32}$")]
    private static partial Regex AssessmentId();
}
