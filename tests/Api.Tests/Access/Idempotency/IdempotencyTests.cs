using System.Net.ServerSentEvents;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Idempotency;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests.Access.Idempotency;

[Collection<GuardedServiceTests>]
public sealed class IdempotencyTests(GuardedService guarded)
{
    private readonly Service _service = guarded.Service;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/assess", """{"input": "Hello"}""")]
    [InlineData("/v1/complete", """{"input": "Hello"}""")]
    [InlineData("/v1/complete", """{"input": "Hello", "stream": true}""")]
    public async Task The_same_request_gets_the_same_reply_and_is_judged_once(string path, string json)
    {
        var key = await KeyAsync();
        var name = ("Idempotency-Key", $"{Guid.NewGuid()}");
        var stored = await _service.CountStoredAsync();

        var first = await _service.SendAsync(HttpMethod.Post, path, key, json, name);
        var again = await _service.SendAsync(HttpMethod.Post, path, key, json, name);

        Assert.Equal((200, false), (first.Status, first.Headers.Contains("Idempotency-Replayed")));
        Assert.Equal((200, true), (again.Status, again.Headers.Contains("Idempotency-Replayed")));
        Assert.Equal(first.Body, again.Body);
        Assert.Equal(first.ContentType, again.ContentType);
        Assert.Equal(stored + 1, await _service.CountStoredAsync());
    }

    [Fact]
    public async Task Another_request_with_the_same_key_is_refused()
    {
        var key = await KeyAsync();
        var name = ("Idempotency-Key", $"{Guid.NewGuid()}");
        await _service.SendAsync(HttpMethod.Post, "/v1/assess", key, """{"input": "Hello"}""", name);

        var otherBody = await _service.SendAsync(HttpMethod.Post, "/v1/assess", key, """{"input": "Hello!"}""", name);
        var otherAddress = await _service.SendAsync(HttpMethod.Post, "/v1/complete", key, """{"input": "Hello"}""", name);

        Assert.All([otherBody, otherAddress], (Reply reply) =>
        {
            Assert.Equal((422, "idempotency-key-reused"), (reply.Status, reply.Kind()));
            Assert.Equal(["Idempotency-Key"], reply.Fields);
        });
    }

    [Fact]
    public async Task Many_at_once_are_judged_once()
    {
        var key = await KeyAsync();
        var stored = await _service.CountStoredAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => _service.AskAsync(key, ("Idempotency-Key", "at once"))));

        Assert.Equal(stored + 1, await _service.CountStoredAsync());
        Assert.Single(replies.Where(reply => reply.Status == 200).Select(reply => reply.Text).Distinct());
        Assert.All(replies.Where(reply => reply.Status != 200), reply =>
        {
            Assert.Equal((409, "idempotency-in-flight"), (reply.Status, reply.Kind()));
            Assert.Equal(TimeSpan.FromSeconds(1), reply.Headers.RetryAfter!.Delta);
        });
        Assert.Contains(replies, reply => reply.Status == 409);
    }

    [Fact]
    public async Task Two_callers_may_choose_the_same_key()
    {
        var first = await _service.AskAsync(await KeyAsync(), ("Idempotency-Key", "1"));
        var second = await _service.AskAsync(await KeyAsync(), ("Idempotency-Key", "1"));

        Assert.Equal((200, 200), (first.Status, second.Status));
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task An_error_is_not_kept()
    {
        var key = await KeyAsync();
        var name = ("Idempotency-Key", $"{Guid.NewGuid()}");

        Assert.Equal(400, (await _service.SendAsync(HttpMethod.Post, "/v1/assess", key, "{}", name)).Status);
        Assert.Equal(200, (await _service.SendAsync(HttpMethod.Post, "/v1/assess", key, """{"input": "Hello"}""", name)).Status);
    }

    [Fact]
    public async Task A_stream_still_arrives_piece_by_piece()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/complete")
        {
            Content = new StringContent("""{"input": "Hello", "stream": true}""", System.Text.Encoding.UTF8, "application/json"),
            Headers = { Authorization = new("Bearer", await KeyAsync()) },
        };
        request.Headers.Add("Idempotency-Key", "stream");
        using var response = await _service.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(Cancellation);

        var events = await SseParser.Create(body).EnumerateAsync(Cancellation).Select(item => item.EventType).ToListAsync(Cancellation);

        Assert.Equal("assessment", events[0]);
        Assert.Equal(["completion", "message"], events[^2..]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    [InlineData(null)]
    public async Task A_key_that_is_none_is_named(string? name)
    {
        var reply = await _service.AskAsync(await KeyAsync(), ("Idempotency-Key", name ?? new string('x', 256)));

        Assert.Equal((400, "invalid-request"), (reply.Status, reply.Kind()));
        Assert.Equal(["Idempotency-Key"], reply.Fields);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_with_a_key_too()
    {
        // Small: a client that is still writing when the connection closes sees only that.
        await using var small = new Service { Settings = { ["Limits:MaxBodyBytes"] = "1024" } };
        await small.InitializeAsync();

        var reply = await small.SendAsync(
            HttpMethod.Post, "/v1/assess", null, $$"""{"input": "{{new string('x', 1024)}}"}""", ("Idempotency-Key", "large"));

        Assert.Equal((413, "body-too-large"), (reply.Status, reply.Kind()));
    }

    [Fact]
    public async Task A_reply_survives_a_restart_but_not_its_time()
    {
        var store = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "saferguard.db");
        Reply first;
        await using (var before = new Service { Store = store, Settings = { ["Idempotency:KeepFor"] = "00:00:05" } })
        {
            await before.InitializeAsync();
            first = await before.AskAsync(null, ("Idempotency-Key", "restart"));
        }

        var judged = DateTimeOffset.UtcNow;
        await using var after = new Service { Store = store };
        await after.InitializeAsync();
        if (DateTimeOffset.UtcNow - judged < TimeSpan.FromSeconds(4))
            Assert.Equal(first.Body, (await after.AskAsync(null, ("Idempotency-Key", "restart"))).Body);

        await Task.Delay(judged.AddSeconds(6) - DateTimeOffset.UtcNow is var rest && rest > TimeSpan.Zero ? rest : TimeSpan.Zero, Cancellation);
        Assert.NotEqual(first.Id, (await after.AskAsync(null, ("Idempotency-Key", "restart"))).Id);
    }

    [Fact]
    public async Task What_has_expired_and_what_is_too_much_is_forgotten()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var stores = _service.Services.GetRequiredService<IDbContextFactory<TraceStore>>();
        var replies = new KeptReplies(
            stores, _service.Services.GetRequiredService<JudgmentLog>(), new() { KeepFor = TimeSpan.FromHours(1), MaxRepliesPerCaller = 3 }, clock);
        var response = new Microsoft.AspNetCore.Http.DefaultHttpContext().Response;
        for (byte i = 0; i < 5; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await replies.KeepAsync("crowded", [i], [i], response, "", [i]);
        }

        await replies.KeepAsync("other", [0], [0], response, "", [0]);
        await replies.ForgetAsync(Cancellation);

        Assert.Equal("2 3 4", await KeptAsync("crowded"));
        Assert.Equal("0", await KeptAsync("other"));
        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Null(await replies.FindAsync("crowded", [2], Cancellation));
        Assert.NotNull(await replies.FindAsync("crowded", [4], Cancellation));
        await replies.ForgetAsync(Cancellation);
        Assert.Equal("4", await KeptAsync("crowded"));

        async Task<string> KeptAsync(string caller)
        {
            await using var store = await stores.CreateDbContextAsync(Cancellation);
            var bodies = await store.KeptReplies.Where(reply => reply.Caller == caller).OrderBy(reply => reply.Id).Select(reply => reply.Body).ToListAsync(Cancellation);
            return string.Join(' ', bodies.Select(body => body[0]));
        }
    }

    private async Task<string> KeyAsync() => (await _service.CreateKeyAsync(Scope.All)).Text;
}
