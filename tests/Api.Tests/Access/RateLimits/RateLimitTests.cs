using System.Text;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Access.RateLimits;

namespace SaferGuard.Api.Tests.Access.RateLimits;

[Collection<GuardedServiceTests>]
public sealed class RateLimitTests(GuardedService guarded)
{
    private readonly Service _service = guarded.Service;

    [Fact]
    public async Task A_caller_is_told_its_quotas_and_what_is_left_of_them()
    {
        var key = await KeyAsync(new(3, 100_000, null));

        var reply = await _service.AskAsync(key);

        Assert.Equal("\"requests\";q=3;w=60, \"tokens\";q=100000;w=60;qu=\"tokens\"", Field(reply, "RateLimit-Policy"));
        var used = reply.Json.GetProperty("usage").GetProperty("input_tokens").GetInt32() + reply.Json.GetProperty("usage").GetProperty("trace_tokens").GetInt32();
        Assert.InRange(used, 1, 99);
        // The judgment's own tokens are in it already; the few milliseconds since then may have given some back.
        Assert.Matches("^\"requests\";r=2;t=20, \"tokens\";r=999\\d\\d;t=1$", Field(reply, "RateLimit"));
    }

    [Fact]
    public async Task A_caller_that_asks_too_often_is_told_when_to_come_again()
    {
        var key = await KeyAsync(new(2, null, null));
        await _service.AskAsync(key);
        await _service.AskAsync(key);
        var stored = await _service.CountStoredAsync();

        var reply = await _service.AskAsync(key);

        Assert.Equal((429, "rate-limited", "application/problem+json"), (reply.Status, reply.Kind(), reply.ContentType));
        Assert.InRange(reply.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
        Assert.StartsWith("\"requests\";r=0;t=", Field(reply, "RateLimit"));
        Assert.Contains("2 requests per minute", reply.Text);
        Assert.Equal(stored, await _service.CountStoredAsync());
    }

    [Theory]
    [InlineData("/v1/assess")]
    [InlineData("/v1/complete")]
    public async Task Tokens_are_counted_once_they_were_used(string path)
    {
        var key = await KeyAsync(new(null, 10, null));

        var first = await _service.SendAsync(HttpMethod.Post, path, key, """{"input": "Which tea goes well with rain?"}""");
        var second = await _service.SendAsync(HttpMethod.Post, path, key, """{"input": "Which tea goes well with rain?"}""");

        Assert.Equal(200, first.Status);
        Assert.StartsWith("\"tokens\";r=0;t=", Field(first, "RateLimit"));
        Assert.Equal(429, second.Status);
        Assert.Contains("10 tokens per minute", second.Text);
    }

    [Fact]
    public async Task A_caller_may_have_so_many_requests_in_flight()
    {
        var key = await KeyAsync(new(null, null, 1));
        // The server asks for the body when the request has passed all gates, and the client waits for that.
        using var handler = new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) };
        using var client = new HttpClient(handler) { BaseAddress = _service.Client.BaseAddress };
        using var body = new SlowContent("""{"input": "Hello"}""");
        using var slow = new HttpRequestMessage(HttpMethod.Post, "/v1/assess") { Content = body, Headers = { ExpectContinue = true, Authorization = new("Bearer", key) } };
        var first = client.SendAsync(slow, TestContext.Current.CancellationToken);
        await body.Started;

        var second = await _service.AskAsync(key);

        Assert.Equal((429, "rate-limited"), (second.Status, second.Kind()));
        Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter!.Delta);
        body.Finish();
        using var response = await first;
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(200, (await _service.AskAsync(key)).Status);
    }

    [Fact]
    public async Task A_caller_without_limits_is_told_of_none()
    {
        var reply = await _service.AskAsync(await KeyAsync(default));

        Assert.False(reply.Headers.Contains("RateLimit"));
        Assert.False(reply.Headers.Contains("RateLimit-Policy"));
    }

    private async Task<string> KeyAsync(CallerLimits limits) => (await _service.CreateKeyAsync(new KeyGrant("acme", Scope.All) { Limits = limits })).Text;

    private static string Field(Reply reply, string name) => string.Join(", ", reply.Headers.GetValues(name));

    /// <summary>A body that is sent when it is told to.</summary>
    private sealed class SlowContent : HttpContent
    {
        private readonly byte[] _body;
        private readonly TaskCompletionSource _started = new();
        private readonly TaskCompletionSource _finish = new();

        public SlowContent(string json)
        {
            _body = Encoding.UTF8.GetBytes(json);
            Headers.ContentType = new("application/json");
        }

        public Task Started => _started.Task;

        public void Finish() => _finish.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            _started.SetResult();
            await _finish.Task;
            await stream.WriteAsync(_body);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _body.Length;
            return true;
        }
    }
}
