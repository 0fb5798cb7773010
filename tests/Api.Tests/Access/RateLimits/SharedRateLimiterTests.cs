using System.Diagnostics;
using CsCheck;
using Microsoft.Extensions.Logging;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Access.RateLimits;

namespace SaferGuard.Api.Tests.Access.RateLimits;

public sealed class SharedRateLimiterTests : IDisposable
{
    private static readonly CallerLimits s_five = new(5, null, null);

    private readonly RedisServer _redis = RedisServer.Start();
    private readonly List<string> _log = [];

    public void Dispose() => _redis.Dispose();

    [Fact]
    public async Task Two_services_share_the_quotas_of_a_key()
    {
        var store = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "saferguard.db");
        await using var first = await StartAsync(store);
        await using var second = await StartAsync(store);
        var requests = (await first.CreateKeyAsync(new KeyGrant("acme", Scope.All) { Limits = s_five })).Text;
        var tokens = (await first.CreateKeyAsync(new KeyGrant("acme", Scope.All) { Limits = new(null, 10, null) })).Text;

        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? first : second).SendAsync(HttpMethod.Get, "/v1/traces/asm_0", requests)));
        Assert.Equal(200, (await first.AskAsync(tokens)).Status);
        var over = await second.AskAsync(tokens);

        Assert.Equal(5, replies.Count(reply => reply.Status == 404));
        Assert.Equal(15, replies.Count(reply => reply.Status == 429));
        Assert.Equal((429, "rate-limited"), (over.Status, over.Kind()));
        Assert.Equal(["\"tokens\";q=10;w=60;qu=\"tokens\""], over.Headers.GetValues("RateLimit-Policy"));
    }

    [Fact]
    public async Task The_script_counts_as_the_process_does()
    {
        var local = new LocalRateLimiter(TimeProvider.System);
        await using var shared = Shared();
        var callers = 0;

        await Gen.Select(Gen.Int[1, 300], Gen.Int[1, 300], Gen.Int[0, 40].Array[1, 30]).SampleAsync(
            async (requestQuota, tokenQuota, costs) =>
            {
                var caller = $"caller {Interlocked.Increment(ref callers)}";
                var limits = new CallerLimits(requestQuota, tokenQuota, null);
                foreach (var cost in costs)
                {
                    var (mine, theirs) = (await local.AdmitAsync(caller, limits), await shared.AdmitAsync(caller, limits));
                    AssertAlike(mine.Left, theirs.Left);
                    // A clock of its own: at the very edge of a quota they may differ.
                    if (mine.Admitted != theirs.Admitted) Assert.InRange(Math.Abs(mine.Left.Wait.TotalSeconds - theirs.Left.Wait.TotalSeconds), 0, 1);
                    if (mine.Admitted != theirs.Admitted) return;
                    AssertAlike(await local.ChargeAsync(caller, limits, cost), await shared.ChargeAsync(caller, limits, cost));
                }
            },
            iter: 30, threads: 1);

        static void AssertAlike(Allowances mine, Allowances theirs)
        {
            Assert.Equal(mine.Requests!.Value.Refill.TotalSeconds, theirs.Requests!.Value.Refill.TotalSeconds, tolerance: 1);
            Assert.Equal(mine.Tokens!.Value.Refill.TotalSeconds, theirs.Tokens!.Value.Refill.TotalSeconds, tolerance: 1);
        }
    }

    [Fact]
    public async Task Without_Redis_each_replica_limits_by_itself_and_a_used_quota_stays_used()
    {
        await using var first = Shared();
        await using var second = Shared();
        for (var i = 0; i < 5; i++) Assert.True((await first.AdmitAsync("a", s_five)).Admitted);
        Assert.False((await second.AdmitAsync("a", s_five)).Admitted);

        _redis.Kill();

        Assert.False((await first.AdmitAsync("a", s_five)).Admitted);
        var admitted = 0;
        for (var i = 0; i < 10; i++) admitted += (await second.AdmitAsync("a", s_five)).Admitted ? 1 : 0;
        Assert.Equal(5, admitted);
        // Once for each replica, however many requests there were.
        Assert.Equal(2, _log.Count(line => line.StartsWith("Warning: Redis does not answer", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Redis_is_used_again_when_it_is_back()
    {
        await using var limiter = Shared();
        await limiter.AdmitAsync("a", s_five);
        _redis.Kill();
        await limiter.AdmitAsync("a", s_five);

        _redis.Restart();

        for (var attempt = 0; attempt < 150 && !_log.Exists(IsBack); attempt++)
        {
            await limiter.AdmitAsync($"{attempt}", s_five);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        Assert.Contains(_log, IsBack);
        static bool IsBack(string line) => line == "Information: Redis answers again: rate limits are shared";
    }

    [Fact]
    public async Task A_Redis_that_hangs_costs_a_request_its_timeout_and_the_next_ones_nothing()
    {
        await using var limiter = Shared();
        await limiter.AdmitAsync("a", s_five);
        _redis.Hang();
        try
        {
            var first = await TimeAsync();
            var next = await TimeAsync();

            Assert.InRange(first.TotalMilliseconds, 50, 3000);
            Assert.InRange(next.TotalMilliseconds, 0, 50);
        }
        finally
        {
            _redis.GoOn();
        }

        async Task<TimeSpan> TimeAsync()
        {
            var start = Stopwatch.GetTimestamp();
            Assert.True((await limiter.AdmitAsync("a", s_five)).Admitted);
            return Stopwatch.GetElapsedTime(start);
        }
    }

    [Fact]
    public async Task A_service_starts_without_its_Redis()
    {
        var port = _redis.Port;
        _redis.Kill();
        await using var service = new Service
        {
            Settings = { ["Redis:Connection"] = $"127.0.0.1:{port}", ["Redis:Timeout"] = "00:00:00.100", ["Access:RequestsPerMinute"] = "2" },
        };
        await service.InitializeAsync();

        int[] statuses = [(await service.AskAsync(null)).Status, (await service.AskAsync(null)).Status, (await service.AskAsync(null)).Status];
        Assert.Equal([200, 200, 429], statuses);
        Assert.Contains(service.Log, line => line.StartsWith("Warning: Redis does not answer", StringComparison.Ordinal));
    }

    private SharedRateLimiter Shared() => new(
        new RedisOptions { Connection = _redis.Connection, Timeout = TimeSpan.FromSeconds(1) },
        new LocalRateLimiter(TimeProvider.System), TimeProvider.System, new ListLogger(_log));

    private async Task<Service> StartAsync(string store)
    {
        var service = new Service
        {
            Store = store,
            Settings = { ["Access:WithoutKeys"] = "Never", ["Redis:Connection"] = _redis.Connection, ["Redis:Timeout"] = "00:00:05" },
        };
        await service.InitializeAsync();
        return service;
    }

    private sealed class ListLogger(List<string> lines) : ILogger<SharedRateLimiter>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines) lines.Add($"{logLevel}: {formatter(state, exception)}");
        }
    }
}
