using System.Text.Json;

namespace SaferGuard.Api.Tests.Policies;

public sealed class ShadowTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("saferguard-").FullName;

    private Service? _service;

    public async ValueTask DisposeAsync()
    {
        if (_service is not null) await _service.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_report_counts_where_the_policies_disagree_and_names_the_requests()
    {
        var service = await StartAsync(share: "1");
        var live = new List<Reply>();
        for (var i = 0; i < 3; i++) live.Add(await service.AssessByAsync(null));
        live.Add(await service.CompleteAsync(Prompts.Complete(Prompts.Harmful)));
        await service.AssessByAsync(null, Prompts.Harmless);

        var report = await ReportAsync(service, compared: 5);

        Assert.Equal((5, 4, 0, 0), (Count(report, "compared"), Count(report, "disagreed"), Count(report, "dropped"), Count(report, "failed")));
        var against = Assert.Single(report.GetProperty("against").EnumerateArray());
        Assert.Equal("default", against.GetProperty("policy").GetProperty("id").GetString());
        var pairs = against.GetProperty("decisions").EnumerateArray().Select(pair => (pair.GetProperty("live").GetString(), Count(pair, "count"))).ToArray();
        Assert.Equal([("answer", 1), ("refuse", 4)], pairs);
        Assert.Equal(
            live.Select(reply => reply.Id).Order(StringComparer.Ordinal),
            against.GetProperty("recent").EnumerateArray().Select(recent => recent.GetProperty("id").GetString()).Order(StringComparer.Ordinal));
        Assert.All(against.GetProperty("rules").EnumerateArray(), rule => Assert.Equal((4, 0), (Count(rule, "only_live"), Count(rule, "only_shadow"))));
        Assert.Equal(live[0].Violated(), against.GetProperty("rules").EnumerateArray().Select(rule => rule.GetProperty("rule").GetString()));
    }

    [Fact]
    public async Task The_live_answer_is_what_it_would_be_without_a_shadow()
    {
        var service = await StartAsync(share: "1");

        var reply = await service.AssessByAsync(null);

        Assert.Equal(("refuse", "default"), (reply.Decision(), reply.Json.GetProperty("policy").GetProperty("id").GetString()));
        await ReportAsync(service, compared: 1);
        Assert.Equal(1, await service.CountStoredAsync());
    }

    [Fact]
    public async Task A_crowd_is_answered_whole_and_what_the_shadow_cannot_take_is_counted()
    {
        var service = await StartAsync(share: "1", queue: "1");

        var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => service.AssessByAsync(null)));

        Assert.All(replies, reply => Assert.Equal(200, reply.Status));
        await ReportAsync(service, report => Count(report, "compared") + Count(report, "dropped") == 100);
    }

    [Fact]
    public async Task A_new_version_of_the_shadow_policy_starts_from_nothing()
    {
        var service = await StartAsync(share: "1");
        await service.AssessByAsync(null);
        await ReportAsync(service, compared: 1);

        await service.PutPolicyAsync("candidate", PolicyFiles.Yaml("candidate", "2"));
        Assert.Equal(0, Count((await service.GetAsync("/v1/policies/candidate/shadow")).Json, "compared"));
        await service.AssessByAsync(null);

        var report = await ReportAsync(service, compared: 1);
        Assert.Equal((0, "2"), (Count(report, "disagreed"), report.GetProperty("policy").GetProperty("version").GetString()));
    }

    [Fact]
    public async Task A_share_of_nothing_takes_nothing_and_other_policies_have_no_report()
    {
        var service = await StartAsync(share: "0");
        for (var i = 0; i < 20; i++) await service.AssessByAsync(null);

        Assert.Equal(0, Count((await service.GetAsync("/v1/policies/candidate/shadow")).Json, "compared"));
        Assert.Equal(404, (await service.GetAsync("/v1/policies/default/shadow")).Status);
        Assert.Equal("candidate", (await service.GetAsync("/v1/policies")).Json.GetProperty("shadow").GetString());
    }

    private static int Count(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    private static Task<JsonElement> ReportAsync(Service service, int compared) => ReportAsync(service, report => Count(report, "compared") == compared);

    private static async Task<JsonElement> ReportAsync(Service service, Func<JsonElement, bool> complete)
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var report = (await service.GetAsync("/v1/policies/candidate/shadow")).Json;
            if (complete(report)) return report;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException("The shadow policy did not come to its end.");
    }

    /// <summary>The shadow policy refuses nothing that has to do with computers.</summary>
    private async Task<Service> StartAsync(string share, string queue = "64")
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "candidate.yaml"), PolicyFiles.Yaml(
            "candidate", "1", [.. Enumerable.Range(1, 4).Select(rule => ($"S5.{rule}", "enforcement: off"))]));
        _service = new Service
        {
            Settings =
            {
                ["Policies:Folder"] = _folder, ["Policies:Shadow"] = "candidate", ["Policies:ShadowShare"] = share, ["Policies:ShadowQueue"] = queue,
            },
        };
        await _service.InitializeAsync();
        return _service;
    }
}
