using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Access;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;

namespace SaferGuard.Api.Tests.Policies;

public sealed class PolicyChoiceTests(PolicyChoiceTests.House fixture) : IClassFixture<PolicyChoiceTests.House>
{
    private readonly Service _service = fixture.Service;

    [Fact]
    public async Task The_request_chooses_before_its_caller_and_the_caller_before_the_default()
    {
        var book = _service.Services.GetRequiredService<PolicyBook>();
        var caller = new Caller("key-1", "team", "team");

        Assert.Equal("other", book.For("other", caller).Policy.Id);
        Assert.Equal("team", book.For(null, caller).Policy.Id);
        Assert.Equal("house", book.For(null, Caller.Anonymous).Policy.Id);
        Assert.Equal("house", (await _service.AssessByAsync(null)).Json.GetProperty("policy").GetProperty("id").GetString());
        Assert.Equal("other", (await _service.AssessByAsync("other")).Json.GetProperty("policy").GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_policy_that_is_not_there_judges_nothing()
    {
        var book = _service.Services.GetRequiredService<PolicyBook>();

        var stored = await _service.CountStoredAsync();
        var unknown = await _service.AssessByAsync("nobody");
        var tooLong = await _service.AssessByAsync(new string('x', 129));
        var caller = Assert.Throws<ProblemException>(() => book.For(null, new Caller("key-1", "team", "nobody")));

        Assert.Equal((400, 400), (unknown.Status, tooLong.Status));
        Assert.Equal(["policy"], unknown.Fields);
        Assert.Contains("at most 128 characters", tooLong.Text);
        Assert.Equal(Errors.PolicyUnavailable, caller.Kind);
        Assert.Equal(stored, await _service.CountStoredAsync());
    }

    [Fact]
    public async Task A_refusal_quotes_the_rule_as_the_policy_has_it()
    {
        var reply = await _service.CompleteAsync(Prompts.Complete(Prompts.Harmful));

        Assert.Equal("refused", reply.Json.GetProperty("finish_reason").GetString());
        Assert.Contains("Attacks on computers, rule S5.", reply.Json.GetProperty("output").GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_monitored_rule_is_marked_in_the_trace_and_in_the_stream_and_refuses_nothing()
    {
        var violated = (await _service.AssessByAsync("default")).Violated();
        await _service.PutPolicyAsync("watching", PolicyFiles.Yaml("watching", "1", [.. violated.Select(rule => (rule, "enforcement: monitor"))]));

        var reply = await _service.AssessByAsync("watching");
        var events = await _service.StreamAsync($$"""{"input": "{{Prompts.Harmful}}", "stream": true, "policy": "watching"}""");

        Assert.NotEqual("refuse", reply.Decision());
        Assert.Equal(violated, reply.Violated());
        var checks = reply.Json.GetProperty("trace").GetProperty("rule_check").EnumerateArray().ToArray();
        Assert.All(checks, check => Assert.Equal(
            violated.Contains(check.GetProperty("rule").GetString()!), check.TryGetProperty("enforcement", out var mark) && mark.GetString() == "monitor"));
        Assert.Contains("\"enforcement\":\"monitor\"", events.Single(item => item.EventType == "rule_check").Data);
        Assert.Contains("no_answer_source", events.Single(item => item.EventType == "completion").Data);
    }

    [Fact]
    public async Task A_rule_that_is_off_is_not_in_the_trace_and_blames_no_other()
    {
        var all = await _service.AssessByAsync("default");
        await _service.PutPolicyAsync("lax", PolicyFiles.Yaml("lax", "1", [.. all.Violated().Select(rule => (rule, "enforcement: off"))]));

        var reply = await _service.AssessByAsync("lax");

        Assert.NotEqual("refuse", reply.Decision());
        Assert.Empty(reply.Violated());
        var kept = Scores(all).Where(check => !all.Violated().Contains(check.Rule));
        Assert.Equal(kept, Scores(reply));
    }

    [Fact]
    public async Task A_rule_may_be_made_stricter_or_milder()
    {
        const string Symptoms = "My chest hurts and my left arm is numb, what should I do?";
        var care = await _service.AssessByAsync("default", Symptoms);
        await _service.PutPolicyAsync("strict", PolicyFiles.Yaml("strict", "1", [.. care.Violated().Select(rule => (rule, "effect: refuse"))]));
        var refused = await _service.AssessByAsync("default");
        await _service.PutPolicyAsync("mild", PolicyFiles.Yaml("mild", "1", [.. refused.Violated().Select(rule => (rule, "effect: care"))]));

        Assert.Equal(("care", "refuse"), (care.Decision(), (await _service.AssessByAsync("strict", Symptoms)).Decision()));
        Assert.Equal(("refuse", "care"), (refused.Decision(), (await _service.AssessByAsync("mild")).Decision()));
    }

    [Fact]
    public async Task A_threshold_moves_one_rule()
    {
        var all = await _service.AssessByAsync("default");
        var lowest = Scores(all).Where(check => !all.Violated().Contains(check.Rule)).MinBy(check => check.Score);
        await _service.PutPolicyAsync("low", PolicyFiles.Yaml("low", "1", (lowest.Rule, FormattableString.Invariant($"threshold: {lowest.Score * 0.9:0.00000}"))));
        await _service.PutPolicyAsync("high", PolicyFiles.Yaml("high", "1", [.. all.Violated().Select(rule => (rule, "threshold: 0.999"))]));

        Assert.Contains(lowest.Rule, (await _service.AssessByAsync("low")).Violated());
        Assert.NotEqual("refuse", (await _service.AssessByAsync("high")).Decision());
    }

    private static IEnumerable<(string Rule, double Score)> Scores(Reply reply) =>
        reply.Json.GetProperty("trace").GetProperty("rule_check").EnumerateArray().Select(check => (check.GetProperty("rule").GetString()!, check.GetProperty("score").GetDouble()));

    /// <summary>A service with three policies, the first of which is the default.</summary>
    public sealed class House : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("saferguard-").FullName;

        public Service Service { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            foreach (var id in (string[])["house", "team", "other"])
            {
                var policy = PolicyFiles.Yaml(id).Replace("name: Cyber abuse", "name: Attacks on computers", StringComparison.Ordinal);
                await File.WriteAllTextAsync(Path.Combine(_folder, $"{id}.yaml"), policy);
            }

            Service = new Service { Settings = { ["Policies:Folder"] = _folder, ["Policies:Default"] = "house" } };
            await Service.InitializeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Service.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
