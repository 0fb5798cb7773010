using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SaferGuard.Reasoning.Engine;

/// <summary>Names of the engine's metrics.</summary>
public static class EngineMetrics
{
    public const string Meter = "SaferGuard.Engine";

    /// <summary>Seconds of a forward pass, with its planning and its choices.</summary>
    public const string StepDuration = "saferguard.engine.step.duration";

    /// <summary>Tokens of a forward pass.</summary>
    public const string StepTokens = "saferguard.engine.step.tokens";

    /// <summary>Tokens of first chunks, the base of <see cref="PrefixCacheHits"/>.</summary>
    public const string PrefixCacheQueries = "saferguard.engine.prefix_cache.queried_tokens";

    /// <summary>Those of them that were not computed again.</summary>
    public const string PrefixCacheHits = "saferguard.engine.prefix_cache.hit_tokens";
    public const string RequestsRunning = "saferguard.engine.requests.running";
    public const string RequestsWaiting = "saferguard.engine.requests.waiting";
    public const string BlocksTotal = "saferguard.engine.kv_cache.blocks";

    /// <summary>Blocks that sequences hold.</summary>
    public const string BlocksUsed = "saferguard.engine.kv_cache.used_blocks";

    /// <summary>Blocks that are kept for later sequences.</summary>
    public const string BlocksKept = "saferguard.engine.kv_cache.kept_blocks";
}

/// <summary>What the engine has done and holds. Counts go up for as long as the engine lives.</summary>
/// <param name="Passes">Forward passes.</param>
/// <param name="ComputedTokens">Tokens of these passes.</param>
/// <param name="QueriedTokens">Tokens of first chunks.</param>
/// <param name="CachedTokens">Those of them that the prefix cache held.</param>
/// <param name="AllocatedBytes">Managed memory that the engine's thread allocated, the programs' included.</param>
/// <param name="UsedBlocks">Blocks of the key/value pool that sequences hold.</param>
/// <param name="KeptBlocks">Blocks of the pool that are kept for later sequences.</param>
public readonly record struct EngineStatistics(
    long Passes, long ComputedTokens, long QueriedTokens, long CachedTokens, long AllocatedBytes, int RunningRequests, int WaitingRequests,
    int UsedBlocks, int KeptBlocks);

/// <summary>Reports the statistics as metrics. A new snapshot is taken after each pass.</summary>
internal sealed class EngineTelemetry : IDisposable
{
    private readonly Meter _meter;
    private readonly Histogram<double> _stepDuration;
    private readonly Histogram<int> _stepTokens;
    private readonly Lock _lock = new();
    private EngineStatistics _latest;

    /// <param name="meters">Whose metrics these are; null for the process.</param>
    public EngineTelemetry(int blocks, IMeterFactory? meters)
    {
        _meter = meters?.Create(EngineMetrics.Meter) ?? new(EngineMetrics.Meter);
        _stepDuration = _meter.CreateHistogram<double>(EngineMetrics.StepDuration, "s");
        _stepTokens = _meter.CreateHistogram<int>(EngineMetrics.StepTokens, "{token}");
        _meter.CreateObservableCounter(EngineMetrics.PrefixCacheQueries, () => Latest.QueriedTokens, "{token}");
        _meter.CreateObservableCounter(EngineMetrics.PrefixCacheHits, () => Latest.CachedTokens, "{token}");
        _meter.CreateObservableGauge(EngineMetrics.RequestsRunning, () => Latest.RunningRequests, "{request}");
        _meter.CreateObservableGauge(EngineMetrics.RequestsWaiting, () => Latest.WaitingRequests, "{request}");
        _meter.CreateObservableGauge(EngineMetrics.BlocksTotal, () => blocks, "{block}");
        _meter.CreateObservableGauge(EngineMetrics.BlocksUsed, () => Latest.UsedBlocks, "{block}");
        _meter.CreateObservableGauge(EngineMetrics.BlocksKept, () => Latest.KeptBlocks, "{block}");
    }

    public EngineStatistics Latest
    {
        get
        {
            lock (_lock) return _latest;
        }
    }

    public void Idle(in EngineStatistics now)
    {
        lock (_lock) _latest = now;
    }

    public void Passed(in EngineStatistics now, int tokens, long start)
    {
        Idle(now);
        _stepDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
        _stepTokens.Record(tokens);
    }

    public void Dispose() => _meter.Dispose();
}
