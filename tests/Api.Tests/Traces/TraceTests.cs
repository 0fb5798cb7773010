using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests.Traces;

public sealed class TraceTests(Service service) : IClassFixture<Service>
{
    [Theory]
    [InlineData("/v1/assess", "full")]
    [InlineData("/v1/assess", "brief")]
    [InlineData("/v1/complete", "full")]
    public async Task A_stored_judgment_is_returned_byte_for_byte(string path, string level)
    {
        var judged = await service.PostAsync(path, [.. "{\"input\": \"Grüße 🙂 <b>&'</b>\", \"trace\": \""u8, .. System.Text.Encoding.UTF8.GetBytes(level), .. "\"}"u8]);
        Assert.Equal(200, judged.Status);

        var stored = await service.GetAsync($"/v1/traces/{judged.Id}");

        Assert.Equal(200, stored.Status);
        Assert.Equal(judged.Body, stored.Body);
        Assert.Equal(judged.ContentType, stored.ContentType);
    }

    [Theory]
    [InlineData("asm_00000000000000000000000000000000")]
    [InlineData("x")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("%27%20OR%201=1")]
    public async Task An_unknown_id_is_not_found(string id)
    {
        var reply = await service.GetAsync($"/v1/traces/{id}");

        Assert.Equal((404, "application/problem+json"), (reply.Status, reply.ContentType));
        Assert.Equal("urn:saferguard:problem:trace-not-found", reply.Json.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_judgment_is_stored_when_its_response_arrives()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => service.AssessAsync(Prompts.Assess("Hello", "brief"))));

        await using var store = await StoreAsync();
        foreach (var reply in replies)
        {
            var stored = await store.Judgments.AsNoTracking().SingleAsync(judgment => judgment.Id == reply.Id, TestContext.Current.CancellationToken);
            Assert.Equal(reply.Body, stored.Body);
            Assert.Equal(
                ("assessment", reply.Json.GetProperty("decision").GetString(), reply.Json.GetProperty("created").GetInt64()),
                (stored.Kind, stored.Decision, stored.Created));
            Assert.Equal(reply.Json.GetProperty("model").GetProperty("digest").GetString(), stored.ModelDigest);
            Assert.Equal(reply.Json.GetProperty("policy").GetProperty("digest").GetString(), stored.PolicyDigest);
        }
    }

    [Fact]
    public async Task A_restart_keeps_the_traces()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "new", "saferguard.db");
        Reply judged;
        await using (var first = new Service { Store = path })
        {
            await first.InitializeAsync();
            judged = await first.AssessAsync(Prompts.Assess(Prompts.Harmless));
        }

        await using var second = new Service { Store = path };
        await second.InitializeAsync();

        Assert.Equal(judged.Body, (await second.GetAsync($"/v1/traces/{judged.Id}")).Body);
    }

    [Fact]
    public async Task Judgments_that_were_made_before_there_were_tenants_belong_to_the_default_one()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "saferguard.db");
        var options = new DbContextOptionsBuilder<TraceStore>().UseSqlite($"Data Source={path};Pooling=False").Options;
        await using (var old = new TraceStore(options))
        {
            await old.GetService<IMigrator>().MigrateAsync("Judgments", TestContext.Current.CancellationToken);
            await old.Database.ExecuteSqlAsync(
                $"INSERT INTO judgments (id, kind, created, decision, model_digest, policy_digest, body) VALUES ('asm_1', 'assessment', 1, 'answer', '', '', {"{}"})",
                TestContext.Current.CancellationToken);
        }

        await using var service = new Service { Store = path };
        await service.InitializeAsync();

        Assert.Equal("{}", (await service.GetAsync("/v1/traces/asm_1")).Text);
    }

    [Fact]
    public async Task A_stored_judgment_cannot_be_changed()
    {
        var judged = await service.AssessAsync(Prompts.Assess(Prompts.Harmless, "brief"));
        await using var store = await StoreAsync();

        await Assert.ThrowsAsync<SqliteException>(() => store.Judgments
            .Where(judgment => judgment.Id == judged.Id)
            .ExecuteUpdateAsync(change => change.SetProperty(judgment => judgment.Decision, "refuse"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Each_commit_reaches_the_disk_before_it_counts()
    {
        await using var store = await StoreAsync();

        Assert.Equal("wal", await PragmaAsync("journal_mode"));
        Assert.Equal("2", await PragmaAsync("synchronous")); // FULL

        async Task<string?> PragmaAsync(string name)
        {
            await store.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
            await using var command = store.Database.GetDbConnection().CreateCommand();
            command.CommandText = $"PRAGMA {name}";
            return (await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))?.ToString();
        }
    }

    private Task<TraceStore> StoreAsync() =>
        service.Services.GetRequiredService<IDbContextFactory<TraceStore>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
}
