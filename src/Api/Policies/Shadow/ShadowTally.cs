using SaferGuard.Api.Completions;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Shadow;

/// <summary>Counts where the shadow policy and one live version agree. Not safe for concurrent use.</summary>
internal sealed class ShadowTally(Policy live)
{
    private const int MaxRecent = 100;

    private readonly Dictionary<(Decision Live, Decision Shadow), long> _decisions = [];
    private readonly SortedDictionary<string, (long OnlyLive, long OnlyShadow)> _rules = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Tenant, Disagreement Disagreement)> _recent = new();

    public long Compared => _decisions.Values.Sum();

    public long Disagreed => _decisions.Where(pair => pair.Key.Live != pair.Key.Shadow).Sum(pair => pair.Value);

    public void Add(ShadowSample sample, Trace shadowTrace)
    {
        var liveTrace = sample.Trace;
        var pair = (Live: liveTrace.Path.Decision, Shadow: shadowTrace.Path.Decision);
        _decisions[pair] = _decisions.GetValueOrDefault(pair) + 1;

        var (onLive, onShadow) = (Violated(liveTrace), Violated(shadowTrace));
        foreach (var rule in onLive.Except(onShadow)) _rules[rule] = (_rules.GetValueOrDefault(rule).OnlyLive + 1, _rules.GetValueOrDefault(rule).OnlyShadow);
        foreach (var rule in onShadow.Except(onLive)) _rules[rule] = (_rules.GetValueOrDefault(rule).OnlyLive, _rules.GetValueOrDefault(rule).OnlyShadow + 1);

        if (pair.Live == pair.Shadow) return;
        var rules = onLive.Except(onShadow).Union(onShadow.Except(onLive)).Order(StringComparer.Ordinal);
        _recent.AddFirst((sample.Tenant, new Disagreement(sample.Id, pair.Live, pair.Shadow, [.. rules])));
        if (_recent.Count > MaxRecent) _recent.RemoveLast();
    }

    public ShadowComparison ToReport(string tenant) => new(
        new PolicyBody(live.Id, live.Version, live.Digest), Compared, Disagreed,
        [.. _decisions.OrderBy(pair => pair.Key).Select(pair => new DecisionPairCount(pair.Key.Live, pair.Key.Shadow, pair.Value))],
        [.. _rules.Select(rule => new RuleDifference(rule.Key, rule.Value.OnlyLive, rule.Value.OnlyShadow))],
        [.. _recent.Where(recent => recent.Tenant == tenant).Select(recent => recent.Disagreement)]);

    private static HashSet<string> Violated(Trace trace) =>
        [.. trace.RuleChecks.Where(check => check.Verdict == Verdict.Violated).Select(check => check.Rule)];
}
