using StackExchange.Redis;

namespace SaferGuard.Api.Access.RateLimits;

/// <summary>
/// Counts together with all replicas, in Redis. While Redis does not answer, each replica limits by itself: callers then get at most their quota from
/// each replica, and nobody is turned away or let through unlimited because of it. What a replica let through is also counted locally all the time,
/// so that an outage does not hand out new quotas.
/// </summary>
internal sealed partial class SharedRateLimiter : IRateLimiter, IAsyncDisposable
{
    /// <summary>How long Redis is left alone after a failure, so that one that hangs costs few requests a wait.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly LocalRateLimiter _local;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly TimeSpan _timeout;
    private readonly Task<ConnectionMultiplexer> _connecting;
    private long _failedAt;

    public SharedRateLimiter(RedisOptions options, LocalRateLimiter local, TimeProvider clock, ILogger<SharedRateLimiter> logger)
    {
        (_local, _clock, _logger, _timeout) = (local, clock, logger, options.Timeout);
        _connecting = ConnectionMultiplexer.ConnectAsync(options.Configuration()!);
    }

    public async ValueTask<Admission> AdmitAsync(string caller, CallerLimits limits)
    {
        if (await TrySpendAsync(caller, limits, 1, 0, isForced: false) is not { } shared) return await _local.AdmitAsync(caller, limits);
        if (shared.Admitted) _local.Record(caller, limits, 1, 0);
        return shared;
    }

    public async ValueTask<Allowances> ChargeAsync(string caller, CallerLimits limits, int tokens)
    {
        var local = await _local.ChargeAsync(caller, limits, tokens);
        return await TrySpendAsync(caller, limits, 0, tokens, isForced: true) is { } shared ? shared.Left : local;
    }

    public async ValueTask DisposeAsync()
    {
        if (_connecting.IsCompletedSuccessfully) await (await _connecting).DisposeAsync();
    }

    /// <summary>Null when Redis does not answer.</summary>
    private async Task<Admission?> TrySpendAsync(string caller, CallerLimits limits, int requests, int tokens, bool isForced)
    {
        if (Volatile.Read(ref _failedAt) is not 0 and var failedAt && _clock.GetElapsedTime(failedAt) < s_pause) return null;
        try
        {
            var redis = await _connecting.WaitAsync(_timeout);
            var reply = await redis.GetDatabase().ScriptEvaluateAsync(
                SpendScript.Text,
                [SpendScript.Key(caller)],
                [limits.RequestsPerMinute ?? 0, requests, limits.TokensPerMinute ?? 0, tokens, isForced ? 1 : 0]);
            if (Interlocked.Exchange(ref _failedAt, 0) != 0) LogShared(_logger);
            return SpendScript.Read(reply, limits);
        }
        catch (Exception failure)
        {
            // Whatever it is: that Redis fails must not keep the service from judging.
            if (Interlocked.Exchange(ref _failedAt, _clock.GetTimestamp()) == 0) LogAlone(_logger, failure.GetType().Name);
            return null;
        }
    }

    [LoggerMessage(6, LogLevel.Warning, "Redis does not answer ({Failure}): rate limits are counted in this process alone until it does")]
    private static partial void LogAlone(ILogger logger, string failure);

    [LoggerMessage(7, LogLevel.Information, "Redis answers again: rate limits are shared")]
    private static partial void LogShared(ILogger logger);
}
