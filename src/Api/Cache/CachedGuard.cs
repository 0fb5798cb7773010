using System.Collections.Concurrent;
using SaferGuard.Api.Telemetry;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace SaferGuard.Api.Cache;

/// <summary>By what a conversation is judged, and for whom.</summary>
/// <param name="Point">Null for the policy's.</param>
/// <param name="MayRemember">The verdict may come from the cache, and go there.</param>
internal sealed record JudgmentTerms(CompiledPolicy Policy, OperatingPoint? Point, string Tenant, bool MayRemember);

/// <summary>
/// Judges with the guard, unless the same was judged before under the same terms: judgments are repeatable, so that a remembered one is what the guard
/// would say. Equal requests at the same time share one judgment.
/// </summary>
internal sealed class CachedGuard(Guard guard, CacheOptions options, GuardMetrics metrics, TimeProvider clock)
{
    private readonly VerdictCache _cache = new(options, clock);
    private readonly ConcurrentDictionary<VerdictKey, Task<Judgment?>> _inFlight = [];

    /// <inheritdoc cref="Guard.AssessAsync"/>
    public async Task<Judgment> AssessAsync(
        Conversation conversation, TraceLevel level, Action<TraceStage>? progress, JudgmentTerms terms, CancellationToken cancellation)
    {
        if (!options.Enabled || !terms.MayRemember) return await JudgeAsync();

        var start = Stopwatch.GetTimestamp();
        var point = terms.Point ?? terms.Policy.Policy.OperatingPoint;
        var key = VerdictKey.Of(terms.Tenant, guard.Model.Digest, terms.Policy.Policy.Digest, point, level, conversation);
        if (_cache.Find(key) is { } known) return Remembered(known);

        var mine = new TaskCompletionSource<Judgment?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = _inFlight.GetOrAdd(key, mine.Task);
        if (first != mine.Task && await first.WaitAsync(cancellation) is { } shared) return Remembered(shared);

        // The first, or one whose first has failed or gone away.
        Judgment? judgment = null;
        try
        {
            metrics.CacheMiss();
            judgment = await JudgeAsync();
            _cache.Add(key, judgment);
            return judgment;
        }
        finally
        {
            if (first == mine.Task)
            {
                _inFlight.TryRemove(key, out _);
                mine.SetResult(judgment);
            }
        }

        Task<Judgment> JudgeAsync() => guard.AssessAsync(conversation, level, progress, terms.Point, terms.Policy, cancellation);

        Judgment Remembered(Judgment judgment)
        {
            metrics.CacheHit();
            progress?.Invoke(new TraceStage.Assessed(judgment.Trace.Assessment));
            progress?.Invoke(new TraceStage.RulesChecked(judgment.Trace.RuleChecks, judgment.RuleScores));
            progress?.Invoke(new TraceStage.PathDecided(judgment.Trace.Path, judgment.Scores));
            return judgment with
            {
                Usage = judgment.Usage with { Cached = judgment.Usage.Input, Passes = 0, Remembered = 1 },
                Timings = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, Stopwatch.GetElapsedTime(start)),
            };
        }
    }
}
