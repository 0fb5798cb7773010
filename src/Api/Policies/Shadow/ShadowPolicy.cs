using System.Threading.Channels;
using SaferGuard.Api.Completions;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Shadow;

/// <summary>A judged request that the shadow policy is to judge too.</summary>
/// <param name="Id">Of the stored judgment.</param>
/// <param name="Tenant">Whose it is.</param>
internal sealed record ShadowSample(string Id, string Tenant, Conversation Conversation, OperatingPoint? Point, Policy Live, Trace Trace);

/// <summary>
/// Takes a share of the judged requests for the shadow policy, and knows what came of it. Taking one costs the live request nothing but a place in a
/// bounded queue: when there is none, the sample is dropped and counted.
/// </summary>
internal sealed class ShadowPolicy(PolicyBook book, Guard guard, PolicyOptions options, PolicyMetrics metrics)
{
    /// <summary>Live versions that are told apart; the counts of the oldest go first.</summary>
    private const int MaxTallies = 16;

    private readonly Channel<ShadowSample> _samples =
        Channel.CreateBounded<ShadowSample>(new BoundedChannelOptions(options.ShadowQueue) { SingleReader = true });

    private readonly Lock _lock = new();
    private readonly List<(string Live, ShadowTally Tally)> _tallies = [];
    private string? _digest;
    private long _dropped;
    private long _failed;

    public ChannelReader<ShadowSample> Samples => _samples.Reader;

    /// <summary>Offers a request that has been judged and stored. Never waits, never throws.</summary>
    public void Offer(ShadowSample sample)
    {
        if (book.Shadow is not { } shadow || shadow.Policy.Digest == sample.Live.Digest) return;
        if (options.ShadowShare < 1 && Random.Shared.NextDouble() >= options.ShadowShare) return;

        // Callers that wait for the engine come first.
        if (guard.Statistics.WaitingRequests == 0 && _samples.Writer.TryWrite(sample)) return;
        lock (_lock)
        {
            Follow(shadow.Policy.Digest);
            _dropped++;
            metrics.ShadowDropped();
        }
    }

    public void Compared(ShadowSample sample, CompiledPolicy shadow, Trace trace)
    {
        lock (_lock)
        {
            Follow(shadow.Policy.Digest);
            TallyOf(sample.Live).Add(sample, trace);
            metrics.ShadowJudged(sample.Trace.Path.Decision, trace.Path.Decision);
        }
    }

    public void Failed(CompiledPolicy shadow)
    {
        lock (_lock)
        {
            Follow(shadow.Policy.Digest);
            _failed++;
            metrics.ShadowFailed();
        }
    }

    /// <summary>Null when there is no shadow policy.</summary>
    /// <param name="tenant">Whose requests may be named.</param>
    public ShadowReport? Report(string tenant)
    {
        if (book.Shadow?.Policy is not { } policy) return null;
        lock (_lock)
        {
            Follow(policy.Digest);
            return new(
                "shadow_report", new PolicyBody(policy.Id, policy.Version, policy.Digest), options.ShadowShare,
                _tallies.Sum(tally => tally.Tally.Compared), _tallies.Sum(tally => tally.Tally.Disagreed),
                _dropped, _failed, [.. _tallies.Select(tally => tally.Tally.ToReport(tenant))]);
        }
    }

    /// <summary>Another version of the shadow policy starts with nothing.</summary>
    private void Follow(string digest)
    {
        if (_digest == digest) return;
        _digest = digest;
        _tallies.Clear();
        (_dropped, _failed) = (0, 0);
    }

    private ShadowTally TallyOf(Policy live)
    {
        foreach (var (digest, tally) in _tallies)
        {
            if (digest == live.Digest) return tally;
        }

        if (_tallies.Count == MaxTallies) _tallies.RemoveAt(0);
        var added = new ShadowTally(live);
        _tallies.Add((live.Digest, added));
        return added;
    }
}
