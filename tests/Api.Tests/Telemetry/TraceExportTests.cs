using System.Text;
using SaferGuard.Api.Tests.Telemetry.Otlp;
using SaferGuard.Api.Tests.Upstream;

namespace SaferGuard.Api.Tests.Telemetry;

/// <summary>What a real collector gets of the service.</summary>
public sealed class TraceExportTests : IAsyncLifetime
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string CallerSpanId = "00f067aa0ba902b7";

    private Collector _collector = null!;

    public async ValueTask InitializeAsync() => _collector = await Collector.StartAsync();

    public ValueTask DisposeAsync() => _collector.DisposeAsync();

    [Fact]
    public async Task A_request_is_one_connected_trace_from_its_caller_to_each_stage()
    {
        await using var service = await ServeAsync();
        var reply = await PostAsync(service, "/v1/complete", Prompts.Complete(Prompts.Harmful));

        var spans = await TraceAsync(_collector);
        string[] expected =
            ["POST /v1/complete", "apply_guardrail safer-nano", "assessment", "chat safer-nano", "explanation", "path", "prefill", "queue", "rule_check", "store"];
        Assert.Equal(expected, spans.Select(span => span.Name).Order(StringComparer.Ordinal));
        Assert.Equal(CallerSpanId, Named("POST /v1/complete").ParentSpanId.Id());
        Assert.Equal(Named("POST /v1/complete").SpanId, Named("chat safer-nano").ParentSpanId);
        Assert.Equal(Named("chat safer-nano").SpanId, Named("apply_guardrail safer-nano").ParentSpanId);
        Assert.All(["queue", "prefill", "assessment", "rule_check", "path", "explanation"], (string stage) =>
        {
            Assert.Equal(Named("apply_guardrail safer-nano").SpanId, Named(stage).ParentSpanId);
            Assert.InRange(Named(stage).StartTimeUnixNano, Named("apply_guardrail safer-nano").StartTimeUnixNano, Named(stage).EndTimeUnixNano);
        });

        var timings = reply.Json.GetProperty("timings");
        Assert.Equal(timings.GetProperty("queue_ms").GetDouble(), Named("queue").Milliseconds(), 0.01);
        Assert.Equal(timings.GetProperty("prefill_ms").GetDouble(), Named("prefill").Milliseconds(), 0.01);

        Span Named(string name) => spans.Single(span => span.Name == name);
    }

    [Fact]
    public async Task A_trace_goes_on_into_the_upstream()
    {
        await using var upstream = await ScriptedUpstream.StartAsync();
        string? traceParent = null;
        upstream.Answer = call =>
        {
            traceParent = call.Http.Request.Headers.TraceParent;
            return call.AnswerAsync(ScriptedUpstream.Harmless);
        };
        await using var service = await upstream.GuardAsync([.. _collector.Settings.Select(setting => (setting.Key, setting.Value))]);

        await PostAsync(service, "/v1/complete", Prompts.Complete(Prompts.Harmless, stream: true));

        var spans = await TraceAsync(_collector);
        var chat = spans.Single(span => span.Name == "chat safer-nano");
        var call = spans.Single(span => span.Attributes.Text("http.request.method") == "POST" && span.ParentSpanId == chat.SpanId);
        Assert.Equal($"00-{TraceId}-{call.SpanId.Id()}-01", traceParent);
        var judged = spans.Where(span => span.Name == "apply_guardrail safer-nano").ToList();
        Assert.All(judged, span => Assert.Equal(chat.SpanId, span.ParentSpanId));
        Assert.Equal(["input", "output"], judged.Select(span => span.Attributes.Text("gen_ai.guardrail.source")).Distinct().Order());
        Assert.Equal(7, chat.Attributes.Value("gen_ai.usage.output_tokens")?.IntValue);
        Assert.False(_collector.HasSeen(Prompts.Harmless) || _collector.HasSeen("Black tea"));
    }

    [Fact]
    public async Task A_judgment_says_what_was_decided_and_what_it_cost()
    {
        await using var service = await ServeAsync();
        var reply = await PostAsync(service, "/v1/assess", Prompts.Assess(Prompts.Harmful));

        var span = (await TraceAsync(_collector)).Single(span => span.Name == "apply_guardrail safer-nano");
        var usage = reply.Json.GetProperty("usage");
        Assert.Equal(usage.GetProperty("input_tokens").GetInt32(), span.Attributes.Value("gen_ai.usage.input_tokens")?.IntValue);
        Assert.Equal(usage.GetProperty("trace_tokens").GetInt32(), span.Attributes.Value("gen_ai.usage.reasoning.output_tokens")?.IntValue);
        Assert.Equal(("input", "default"), (span.Attributes.Text("gen_ai.guardrail.source"), span.Attributes.Text("gen_ai.guardrail.policy.id")));

        var results = span.Events.Where(item => item.Name == "gen_ai.guardrail.result").ToList();
        Assert.Equal("refuse", results[0].Attributes.Text("gen_ai.guardrail.result.value"));
        var violated = reply.Json.GetProperty("trace").GetProperty("rule_check").EnumerateArray()
            .Where(check => check.GetProperty("verdict").GetString() == "violated").Select(check => check.GetProperty("rule").GetString());
        Assert.Equal(violated, results.Skip(1).Select(result => result.Attributes.Text("gen_ai.guardrail.policy.rule.id")));
        Assert.NotEmpty(results.Skip(1));
    }

    [Fact]
    public async Task No_text_of_users_or_for_users_leaves_theservice()
    {
        await using var service = await ServeAsync();
        var reply = await PostAsync(service, "/v1/complete", Prompts.Complete(Prompts.Harmful));
        await PostAsync(service, "/v1/complete", Prompts.Complete(Prompts.Harmful, stream: true));
        await PostAsync(service, "/v1/assess", """{"input": "Prompt of a request that is not valid", "trace": "none"}""");
        await PostAsync(service, "/v1/assess", """{"input": "Prompt of a body that is cut off""");
        await service.GetAsync("/v1/traces/none?note=Prompt%20in%20an%20address");

        await TraceAsync(_collector, servers: 4);
        await Collector.UntilAsync(() => _collector.Logs.Count(log => log.TraceId.Id() == TraceId), count => count >= 4);
        await Collector.UntilAsync(() => _collector.Metrics, metrics => metrics.Count > 0);

        var trace = reply.Json.GetProperty("trace");
        Assert.All(
            [
                Prompts.Harmful, "Prompt of a", "in an address", "in%20an%20address", reply.Json.GetProperty("output").GetProperty("text").GetString()!,
                trace.GetProperty("assessment").GetProperty("intent").GetString()!, trace.GetProperty("path").GetProperty("strategy").GetString()!,
                .. trace.GetProperty("rule_check").EnumerateArray().Where(check => check.GetProperty("evidence").ValueKind != System.Text.Json.JsonValueKind.Null)
                    .Select(check => check.GetProperty("evidence").GetProperty("text").GetString()!),
            ],
            (string text) => Assert.False(_collector.HasSeen(text), text));
    }

    [Fact]
    public async Task Texts_leave_theservice_when_it_is_told_to_capture_them()
    {
        await using var service = await ServeAsync(("Telemetry:CaptureContent", "true"));
        var reply = await PostAsync(service, "/v1/complete", Prompts.Complete(Prompts.Harmful));

        var spans = await TraceAsync(_collector);
        Assert.Contains(Prompts.Harmful, spans.Single(span => span.Name == "apply_guardrail safer-nano").Attributes.Text("gen_ai.input.messages"));
        var output = spans.Single(span => span.Name == "chat safer-nano").Attributes.Text("gen_ai.output.messages")!;
        Assert.Contains("\"role\":\"assistant\"", output);
        Assert.Contains(reply.Json.GetProperty("output").GetProperty("text").GetString()!.Split('\n')[0].Replace("'", "\\u0027", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task Logs_carry_the_trace_and_metrics_the_name_of_theservice()
    {
        await using var service = await ServeAsync();
        await PostAsync(service, "/v1/assess", Prompts.Assess(Prompts.Harmless));

        await Collector.UntilAsync(
            () => _collector.Logs.Where(log => log.TraceId.Id() == TraceId),
            logs => logs.Any(log => log.Body.StringValue.StartsWith("POST /v1/assess 200", StringComparison.Ordinal)));
        var metrics = await Collector.UntilAsync(
            () => _collector.Metrics,
            metrics => Names(metrics).IsSupersetOf(["saferguard.requests", "saferguard.engine.step.duration", "kestrel.active_connections"]));
        Assert.Equal("saferguard", metrics[0].Resource.Attributes.Text("service.name"));

        static HashSet<string> Names(IReadOnlyList<ResourceMetrics> metrics) =>
            [.. metrics.SelectMany(resource => resource.ScopeMetrics).SelectMany(scope => scope.Metrics).Select(metric => metric.Name)];
    }

    [Fact]
    public async Task A_failed_judgment_is_marked_with_its_kind()
    {
        await using var service = await ServeAsync();
        await PostAsync(service, "/v1/assess", $$"""{"input": "{{string.Join(' ', Enumerable.Repeat("tea", 5000))}}"}""");

        var span = (await TraceAsync(_collector)).Single(span => span.Name == "apply_guardrail safer-nano");
        Assert.Equal("prompt-too-long", span.Attributes.Text("error.type"));
    }

    [Fact]
    public async Task A_caller_that_does_not_sample_is_heeded()
    {
        await using var service = await ServeAsync();
        await PostAsync(service, "/v1/assess", Prompts.Assess(Prompts.Harmless), sampled: false);
        await PostAsync(service, "/v1/complete", Prompts.Complete(Prompts.Harmless));

        Assert.DoesNotContain(await TraceAsync(_collector), span => span.Name == "POST /v1/assess");
    }

    [Fact]
    public async Task A_collector_that_is_down_harms_no_request()
    {
        await using var gone = await Collector.StartAsync();
        var settings = gone.Settings;
        await gone.DisposeAsync();
        await using var service = new Service { Settings = settings };
        await service.InitializeAsync();

        Assert.Equal(200, (await service.AssessAsync(Prompts.Assess(Prompts.Harmless))).Status);
    }

    private async Task<Service> ServeAsync(params (string Key, string Value)[] settings)
    {
        var service = new Service { Settings = _collector.Settings };
        foreach (var (key, value) in settings) service.Settings[key] = value;
        await service.InitializeAsync();
        return service;
    }

    private static async Task<Reply> PostAsync(Service service, string path, string json, bool sampled = true)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Add("traceparent", $"00-{TraceId}-{CallerSpanId}-{(sampled ? "01" : "00")}");
        using var response = await service.Client.SendAsync(request);
        return await Reply.OfAsync(response);
    }

    /// <summary>The spans of the trace, once those of the HTTP requests, which end last, have come.</summary>
    private static async Task<IReadOnlyList<Span>> TraceAsync(Collector collector, int servers = 1) => await Collector.UntilAsync(
        () => collector.Spans.Where(span => span.TraceId.Id() == TraceId).ToList(),
        spans => spans.Count(span => span.ParentSpanId.Id() == CallerSpanId) >= servers);
}
