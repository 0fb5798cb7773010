using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Telemetry;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Tests.Telemetry;

public sealed partial class MetricsTests(Service service) : IClassFixture<Service>
{
    /// <summary>For so long and a little less, a scrape is answered from the one before it.</summary>
    private static readonly TimeSpan ScrapeCache = TimeSpan.FromMilliseconds(400);

    [Fact]
    public async Task Every_documented_metric_is_there_after_traffic_and_every_metric_of_ours_is_documented()
    {
        await TrafficAsync();

        await Task.Delay(ScrapeCache, TestContext.Current.CancellationToken);
        var metrics = (await service.GetAsync("/metrics")).Text;
        var served = Type().Matches(metrics).Select(type => type.Groups[1].Value).ToHashSet();
        var guide = await File.ReadAllTextAsync(Guide(), TestContext.Current.CancellationToken);
        var documented = Documented().Matches(guide).Select(name => name.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(documented);
        Assert.Empty(documented.Except(served));
        Assert.Empty(served.Where(IsOurs).Except(documented));
    }

    [Fact]
    public async Task A_refusal_counts_the_rules_that_stood_against_it()
    {
        const string Series = """saferguard_blocked_total{saferguard_direction="input",saferguard_rule="S5.2",saferguard_stage="rule_check"}""";
        var before = await ValueAsync(Series);

        await service.AssessAsync(Prompts.Assess(Prompts.Harmful));

        await Task.Delay(ScrapeCache, TestContext.Current.CancellationToken);
        Assert.Equal(before + 1, await ValueAsync(Series));
    }

    [Fact]
    public async Task Nothing_that_a_user_sends_becomes_a_name_or_a_label()
    {
        await TrafficAsync();
        await NonsenseAsync(0);
        await Task.Delay(ScrapeCache, TestContext.Current.CancellationToken);
        var before = Series(await service.GetAsync("/metrics"));

        for (var i = 1; i < 20; i++) await NonsenseAsync(i);

        await Task.Delay(ScrapeCache, TestContext.Current.CancellationToken);
        // The client of this test lives in the same process as the service.
        var after = await service.GetAsync("/metrics");
        var server = after.Text.Split('\n').Where(line => !line.StartsWith("http_client", StringComparison.Ordinal));
        Assert.DoesNotContain(server, line => line.Contains("nonsense", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(before, Series(after));

        async Task NonsenseAsync(int i)
        {
            using var request = new HttpRequestMessage(new($"NONSENSE{i}"), $"/nonsense{i}");
            request.Headers.Host = $"nonsense{i}.example";
            request.Headers.Add("User-Agent", $"nonsense{i}");
            using var response = await service.Client.SendAsync(request);
            await service.GetAsync($"/v1/traces/nonsense{i}");
            await service.AssessAsync($$"""{"input": "nonsense{{i}}", "trace": "nonsense{{i}}", "nonsense{{i}}": 1}""");
        }

        static int Series(Reply reply) => reply.Text.Split('\n').Count(line => IsOurs(line) || line.StartsWith("http_server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_of_its_own_serves_metrics_and_nothing_else_and_the_main_one_does_not()
    {
        await using var separate = new Service { Settings = { ["Telemetry:MetricsUrl"] = "http://127.0.0.1:0" } };
        await separate.InitializeAsync();
        using var client = new HttpClient { BaseAddress = new(separate.Services.GetRequiredService<MetricsWorker>().Address!) };

        var metrics = await client.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)metrics.StatusCode);
        Assert.Contains("saferguard_engine_requests_running", await metrics.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(404, (int)(await client.GetAsync("/v1/traces/none", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(404, (await separate.GetAsync("/metrics")).Status);
    }

    private static bool IsOurs(string name) => name.StartsWith("saferguard_", StringComparison.Ordinal) || name.StartsWith("gen_ai_", StringComparison.Ordinal);

    private async Task TrafficAsync()
    {
        await service.CompleteAsync(Prompts.Complete(Prompts.Harmful));
        await service.AssessAsync(Prompts.Assess(Prompts.Harmless));
        await service.AssessAsync("{}");
        var metrics = service.Services.GetRequiredService<GuardMetrics>();
        metrics.Degraded(Direction.Output, Errors.Unavailable);
        metrics.Unrecorded(Errors.Internal);
        metrics.CacheHit();
        metrics.CacheMiss();
        var policies = service.Services.GetRequiredService<PolicyMetrics>();
        policies.ShadowJudged(Decision.Answer, Decision.Refuse);
        policies.ShadowDropped();
        policies.ShadowFailed();
    }

    private async Task<double> ValueAsync(string series)
    {
        var line = (await service.GetAsync("/metrics")).Text.Split('\n').SingleOrDefault(line => line.StartsWith(series, StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[series.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]);
    }

    private static string Guide()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SaferGuard.sln"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, "docs", "telemetry.md");
    }

    [GeneratedRegex("^# TYPE ([a-z0-9_]+) ", RegexOptions.Multiline)]
    private static partial Regex Type();

    /// <summary>The second column of the tables of metrics.</summary>
    [GeneratedRegex(@"^\| `[a-z0-9_.]+` \| `([a-z0-9_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Documented();
}
