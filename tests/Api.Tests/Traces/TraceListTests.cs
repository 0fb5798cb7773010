using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Access;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Traces;
using SaferGuard.Protocol.V1;
using JudgmentKind = SaferGuard.Protocol.V1.JudgmentKind;

namespace SaferGuard.Api.Tests.Traces;

/// <summary>A service that has judged seven times: every other judgment is a completion, and two are refusals.</summary>
public sealed class ListedService : Service, IAsyncLifetime
{
    /// <summary>Newest first.</summary>
    public List<string> Ids { get; } = [];

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        for (var i = 0; i < 7; i++)
        {
            var prompt = i is 2 or 5 ? Prompts.Harmful : Prompts.Harmless;
            var reply = i % 2 == 0 ? await AssessAsync(Prompts.Assess(prompt, "brief")) : await CompleteAsync(Prompts.Complete(prompt));
            Ids.Insert(0, reply.Id);
            await Task.Delay(2);
        }
    }
}

public sealed class TraceListTests(ListedService service) : IClassFixture<ListedService>
{
    private readonly ListedService _service = service;
    private readonly List<string> _ids = service.Ids;

    private GuardService.GuardServiceClient Guard => new(_service.Channel);

    [Fact]
    public async Task The_newest_come_first_whatever_their_kind()
    {
        Assert.Equal(_ids, Ids(await _service.GetAsync("/v1/traces")));
        Assert.Equal(_ids, (await Guard.ListTracesAsync(new(), cancellationToken: TestContext.Current.CancellationToken)).Traces.Select(trace => trace.Id));
    }

    [Fact]
    public async Task Each_is_the_stored_body()
    {
        var list = await _service.GetAsync("/v1/traces?page_size=1");

        Assert.Contains((await _service.GetAsync($"/v1/traces/{_ids[0]}")).Text, list.Text);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Pages_go_through_all_of_them_once(int size)
    {
        var (rest, grpc) = (new List<string>(), new List<string>());
        string? token = null;
        do
        {
            var page = await _service.GetAsync($"/v1/traces?page_size={size}" + (token is null ? "" : $"&page_token={token}"));
            Assert.InRange(page.Json.GetProperty("data").GetArrayLength(), 1, size);
            rest.AddRange(Ids(page));
            token = page.Json.GetProperty("next_page_token").GetString();
        }
        while (token is not null);

        for (var request = new ListTracesRequest { PageSize = size }; ;)
        {
            var page = await Guard.ListTracesAsync(request, cancellationToken: TestContext.Current.CancellationToken);
            grpc.AddRange(page.Traces.Select(trace => trace.Id));
            if (page.NextPageToken.Length == 0) break;
            request.PageToken = page.NextPageToken;
        }

        Assert.Equal(_ids, rest);
        Assert.Equal(_ids, grpc);
    }

    [Fact]
    public async Task What_comes_meanwhile_does_not_shift_the_pages()
    {
        await using var busy = new ListedService();
        await busy.InitializeAsync();
        var first = await busy.GetAsync("/v1/traces?page_size=3");
        await busy.AssessAsync(Prompts.Assess(Prompts.Harmless, "brief"));

        var second = await busy.GetAsync($"/v1/traces?page_size=3&page_token={first.Json.GetProperty("next_page_token")}");

        Assert.Equal(busy.Ids[3..6], Ids(second));
    }

    [Theory]
    [InlineData("decision=refuse", "Refuse", "Unspecified", "1 4")]
    [InlineData("kind=completion", "Unspecified", "Completion", "1 3 5")]
    [InlineData("decision=refuse&kind=assessment", "Refuse", "Assessment", "4")]
    [InlineData("decision=care", "Care", "Unspecified", "")]
    public async Task Filters_select(string query, string decision, string kind, string places)
    {
        var request = new ListTracesRequest { Decision = Enum.Parse<Decision>(decision), Kind = Enum.Parse<JudgmentKind>(kind) };
        var expected = places.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(place => _ids[int.Parse(place, null)]);

        Assert.Equal(expected, Ids(await _service.GetAsync($"/v1/traces?{query}")));
        var page = await Guard.ListTracesAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(expected, page.Traces.Select(trace => trace.Id));
    }

    [Theory]
    [InlineData("page_size=0", "page_size")]
    [InlineData("page_size=101", "page_size")]
    [InlineData("page_size=1e1", "page_size")]
    [InlineData("page_size=1&page_size=2", "page_size")]
    [InlineData("page_token=' OR 1=1", "page_token")]
    [InlineData("decision=Refuse", "decision")]
    [InlineData("kind=trace", "kind")]
    [InlineData("Kind=assessment&since=1", "query query")]
    public async Task Bad_parameters_are_named(string query, string fields)
    {
        var reply = await _service.GetAsync($"/v1/traces?{query}");

        Assert.Equal((400, fields), (reply.Status, string.Join(' ', reply.Fields)));
    }

    [Fact]
    public async Task Bad_fields_are_named()
    {
        var request = new ListTracesRequest { PageSize = -1, PageToken = "x", Decision = (Decision)9, Kind = (JudgmentKind)9 };

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await Guard.ListTracesAsync(request, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(
            ["page_size", "page_token", "decision", "kind"],
            fault.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task Nobody_sees_what_another_tenant_had_judged()
    {
        var reader = _service.Services.GetRequiredService<TraceReader>();
        var stranger = Caller.Anonymous with { Tenant = "other" };

        var page = await reader.ListAsync(TraceQuery.Read([]), stranger, TestContext.Current.CancellationToken);

        Assert.Empty(page.Judgments);
        await Assert.ThrowsAsync<ProblemException>(() => reader.FindAsync(_ids[0], stranger, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("decision=refuse")]
    public async Task A_page_is_read_from_the_index_that_has_its_order(string query)
    {
        var parameters = query.Length == 0 ? [] : new Dictionary<string, string> { ["decision"] = "refuse" };
        parameters["page_token"] = _ids[2][StoredJudgment.PrefixLength..];
        await using var store = await _service.Services.GetRequiredService<IDbContextFactory<TraceStore>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        await store.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var command = TraceReader.Select(store, TraceQuery.Read(parameters), "default").Take(3).CreateDbCommand();
        command.CommandText = $"EXPLAIN QUERY PLAN {command.CommandText}";

        var plan = new List<string>();
        await using (var rows = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken))
        {
            while (await rows.ReadAsync(TestContext.Current.CancellationToken)) plan.Add(rows.GetString(3));
        }

        Assert.Contains("USING INDEX judgments_by_time (tenant=? AND <expr><?)", Assert.Single(plan));
    }

    private static IEnumerable<string> Ids(Reply list) => list.Json.GetProperty("data").EnumerateArray().Select(trace => trace.GetProperty("id").GetString()!);
}
