using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Cache;
using SaferGuard.Api.Tests.Policies;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Tests.Cache;

public sealed class CachedGuardTests(CachedGuardTests.CachingService fixture) : IClassFixture<CachedGuardTests.CachingService>
{
    private static int s_prompts;

    private readonly Service _service = fixture.Service;

    /// <summary>Prompts that no test has asked before.</summary>
    private readonly string _harmful = $"{Prompts.Harmful} ({++s_prompts})";
    private readonly string _harmless = $"{Prompts.Harmless} ({++s_prompts})";

    [Theory]
    [InlineData("full")]
    [InlineData("brief")]
    public async Task A_remembered_judgment_is_the_same_marked_and_stored_as_one_of_its_own(string trace)
    {
        var first = await _service.AssessAsync(Prompts.Assess(_harmful, trace));
        var second = await _service.AssessAsync(Prompts.Assess(_harmful, trace));

        Assert.Equal(Judged(first), Judged(second));
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(second.Body, (await _service.GetAsync($"/v1/traces/{second.Id}")).Body);
        var (before, after) = (first.Json.GetProperty("usage"), second.Json.GetProperty("usage"));
        Assert.False(before.TryGetProperty("cached_verdicts", out _));
        Assert.Equal(1, after.GetProperty("cached_verdicts").GetInt32());
        Assert.Equal(after.GetProperty("input_tokens").GetInt32(), after.GetProperty("cached_tokens").GetInt32());
        Assert.Equal(0, second.Json.GetProperty("timings").GetProperty("decode_ms").GetDouble());
    }

    [Fact]
    public async Task A_prompt_and_a_conversation_of_it_alone_are_the_same()
    {
        await _service.AssessAsync(Prompts.Assess(_harmless));

        Assert.True(IsHit(await _service.AssessAsync($$"""{"messages": [{"role": "user", "content": "{{_harmless}}"}]}""")));
        Assert.False(IsHit(await _service.AssessAsync($$"""{"messages": [{"role": "tool", "content": "{{_harmless}}"}]}""")));
        Assert.False(IsHit(await _service.AssessAsync(Prompts.Assess(_harmless + " "))));
        Assert.False(IsHit(await _service.AssessAsync(Prompts.Assess(_harmless, "brief"))));
    }

    [Fact]
    public async Task Who_asks_for_a_sample_gets_everything_anew()
    {
        await _service.CompleteAsync(Prompts.Complete(_harmful));

        Assert.True(IsHit(await _service.CompleteAsync(Prompts.Complete(_harmful))));
        Assert.False(IsHit(await _service.CompleteAsync($$"""{"input": "{{_harmful}}", "seed": 1}""")));
        Assert.False(IsHit(await _service.CompleteAsync($$"""{"input": "{{_harmful}}", "temperature": 0.1}""")));
    }

    [Fact]
    public async Task A_new_version_of_the_policy_judges_anew()
    {
        await _service.AssessAsync(Prompts.Assess(_harmful));
        await _service.PutPolicyAsync("default", PolicyFiles.Yaml("default", "2"));

        Assert.False(IsHit(await _service.AssessAsync(Prompts.Assess(_harmful))));
    }

    [Fact]
    public async Task A_remembered_stream_tells_the_same_stages()
    {
        var first = await _service.StreamAsync(Prompts.Complete(_harmful, stream: true));
        var second = await _service.StreamAsync(Prompts.Complete(_harmful, stream: true));

        Assert.Equal(["assessment", "rule_check", "path", "output", "completion", "message"], second.Select(item => item.EventType));
        var trace = JsonSerializer.Deserialize<JsonElement>(second[^2].Data).GetProperty("trace");
        foreach (var stage in (string[])["assessment", "rule_check", "path"])
            Assert.Equal(trace.GetProperty(stage).GetRawText(), second.Single(item => item.EventType == stage).Data);
        Assert.Equal(first.Last(item => item.EventType == "output").Data, second.Single(item => item.EventType == "output").Data);
    }

    [Fact]
    public async Task Equal_requests_at_the_same_time_share_one_judgment()
    {
        var stored = await _service.CountStoredAsync();
        var before = _service.Services.GetRequiredService<Guard>().Statistics.ComputedTokens;
        var replies = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => _service.AssessAsync(Prompts.Assess("How do I open a lock that nobody has a key for?"))));

        Assert.Single(replies, reply => !IsHit(reply));
        Assert.Single(replies.Select(Judged).Distinct());
        Assert.Equal(stored + 32, await _service.CountStoredAsync());
        var computed = _service.Services.GetRequiredService<Guard>().Statistics.ComputedTokens - before;
        Assert.InRange(computed, 1, 500);
    }

    [Fact]
    public async Task Nobody_waits_for_one_who_has_gone_and_nothing_crosses_tenants()
    {
        var guard = _service.Services.GetRequiredService<CachedGuard>();
        var policy = _service.Services.GetRequiredService<Guard>().Compiled;
        var conversation = Conversation.OfPrompt("Tell me about the history of locks and keys.");
        using var gone = new CancellationTokenSource();
        var first = guard.AssessAsync(conversation, TraceLevel.Full, null, new(policy, null, "one", true), gone.Token);
        var second = guard.AssessAsync(conversation, TraceLevel.Full, null, new(policy, null, "one", true), TestContext.Current.CancellationToken);
        await gone.CancelAsync();

        await Task.WhenAny(first);
        Assert.NotNull((await second).Trace.Assessment.Intent);
        var other = await guard.AssessAsync(conversation, TraceLevel.Full, null, new(policy, null, "two", true), TestContext.Current.CancellationToken);
        Assert.Equal(0, other.Usage.Remembered);
    }

    [Fact]
    public async Task Off_is_the_default()
    {
        await using var plain = new Service();
        await plain.InitializeAsync();
        await plain.AssessAsync(Prompts.Assess(_harmful));

        Assert.False(IsHit(await plain.AssessAsync(Prompts.Assess(_harmful))));
    }

    /// <summary>A service that remembers verdicts.</summary>
    public sealed class CachingService : IAsyncLifetime
    {
        public Service Service { get; } = new() { Settings = { ["Cache:Enabled"] = "true" } };

        public ValueTask InitializeAsync() => Service.InitializeAsync();

        public ValueTask DisposeAsync() => Service.DisposeAsync();
    }

    private static bool IsHit(Reply reply) => reply.Json.GetProperty("usage").TryGetProperty("cached_verdicts", out _);

    private static string Judged(Reply reply) =>
        string.Join('\n', ((string[])["model", "policy", "operating_point", "decision", "scores", "trace"]).Select(name => reply.Json.GetProperty(name).GetRawText()));
}
