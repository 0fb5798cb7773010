using System.Diagnostics;
using System.Diagnostics.Metrics;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Traces;
using static SaferGuard.Api.Telemetry.TelemetryNames;

namespace SaferGuard.Api.Telemetry;

/// <summary>
/// Counts and times what the guard does. Attributes take few values, whatever users send: decisions, directions, rules of the policy, and
/// kinds of the error table.
/// </summary>
internal sealed class GuardMetrics
{
    /// <summary>Seconds. Finer than the conventions advise: a brief judgment takes a millisecond.</summary>
    private static readonly double[] s_durations =
        [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8, 16, 32, 64];

    /// <summary>Seconds.</summary>
    private static readonly double[] s_perToken = [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

    private readonly Counter<long> _requests;
    private readonly Counter<long> _blocked;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _unscanned;
    private readonly Counter<long> _degraded;
    private readonly Counter<long> _unrecorded;
    private readonly Counter<long> _cacheHits;
    private readonly Counter<long> _cacheMisses;
    private readonly Histogram<double> _stageDuration;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerOutputToken;

    public GuardMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Source);
        _requests = meter.CreateCounter<long>(Metrics.Requests, "{request}", "Judged requests.");
        _blocked = meter.CreateCounter<long>(Metrics.Blocked, "{rule}", "Rules that stood against a text that was refused.");
        _errors = meter.CreateCounter<long>(Metrics.Errors, "{error}", "Requests that ended with an error.");
        _unscanned = meter.CreateCounter<long>(Metrics.Unscanned, "{text}", "Texts that were let through without having been judged.");
        _degraded = meter.CreateCounter<long>(Metrics.Degraded, "{request}", "Requests that were served with less than the configured checks.");
        _unrecorded = meter.CreateCounter<long>(Metrics.Unrecorded, "{judgment}", "Judgments that were returned without having been stored.");
        _cacheHits = meter.CreateCounter<long>(Metrics.CacheHits, "{judgment}", "Judgments that the verdict cache held.");
        _cacheMisses = meter.CreateCounter<long>(Metrics.CacheMisses, "{judgment}", "Judgments that the verdict cache was asked for and did not hold.");
        _stageDuration = Seconds(Metrics.StageDuration, "Time of one stage of a judgment.", s_durations);
        _requestDuration = Seconds(Metrics.RequestDuration, "Time of one judgment or answer.", s_durations);
        _timeToFirstToken = Seconds(Metrics.TimeToFirstToken, "Time until the first token of a trace or an answer.", s_durations);
        _timePerOutputToken = Seconds(Metrics.TimePerOutputToken, "Time per token of a trace or an answer, after the first.", s_perToken);

        // So that an alert on it can tell "none" from "not measured".
        foreach (var direction in Enum.GetValues<Direction>()) Count(_unscanned, direction, Errors.Unavailable.Name, 0);
        _unrecorded.Add(0, new KeyValuePair<string, object?>(Attributes.Reason, Errors.Internal.Name));

        Histogram<double> Seconds(string name, string description, double[] boundaries) =>
            meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
    }

    /// <param name="operation"><c>assessment</c> or <c>completion</c>.</param>
    public void Judged(string operation, Decision decision) =>
        _requests.Add(1, new(Attributes.Operation, operation), new(Attributes.Decision, TagValue.Of(decision)));

    /// <summary>A text is not to go on. Each rule counts; <c>none</c> where the decision alone stood against it.</summary>
    public void Blocked(Direction direction, IReadOnlyCollection<string> rules)
    {
        if (rules.Count == 0) Count("none", Stages.Path);
        foreach (var rule in rules) Count(rule, Stages.RuleCheck);

        void Count(string rule, string stage) => _blocked.Add(
            1, new(Attributes.Rule, rule), new(Attributes.Stage, stage), new(Attributes.Direction, TagValue.Of(direction)));
    }

    public void Failed(ErrorKind kind) => _errors.Add(1, new KeyValuePair<string, object?>(Attributes.ErrorType, kind.Name));

    /// <summary>A text went on, or will go on, without having been judged.</summary>
    /// <param name="reason">What kept the guard from judging it.</param>
    public void Unscanned(Direction direction, ErrorKind reason) => Count(_unscanned, direction, reason.Name);

    /// <summary>A request is served with less than the configured checks, because failures are to be passed over.</summary>
    public void Degraded(Direction direction, ErrorKind reason) => Count(_degraded, direction, reason.Name);

    /// <summary>A judgment is returned that could not be stored.</summary>
    public void Unrecorded(ErrorKind reason) => _unrecorded.Add(1, new KeyValuePair<string, object?>(Attributes.Reason, reason.Name));

    public void CacheHit() => _cacheHits.Add(1);

    public void CacheMiss() => _cacheMisses.Add(1);

    public void StageTook(string stage, TimeSpan time) =>
        _stageDuration.Record(time.TotalSeconds, new KeyValuePair<string, object?>(Attributes.Stage, stage));

    /// <param name="error">What ended it; null when it succeeded.</param>
    public void Took(string operation, string model, TimeSpan time, string? error)
    {
        var tags = Tags(operation, model);
        if (error is not null) tags.Add(Attributes.ErrorType, error);
        _requestDuration.Record(time.TotalSeconds, tags);
    }

    /// <param name="rest">Time after the first token.</param>
    /// <param name="tokens">All tokens.</param>
    public void Wrote(string operation, string model, TimeSpan first, TimeSpan rest, int tokens)
    {
        var tags = Tags(operation, model);
        _timeToFirstToken.Record(first.TotalSeconds, tags);
        if (tokens > 1) _timePerOutputToken.Record(rest.TotalSeconds / (tokens - 1), tags);
    }

    private static TagList Tags(string operation, string model) => new()
    {
        { Attributes.OperationName, operation },
        { Attributes.ProviderName, Service },
        { Attributes.RequestModel, model },
    };

    private static void Count(Counter<long> counter, Direction direction, string reason, int times = 1) =>
        counter.Add(times, new(Attributes.Direction, TagValue.Of(direction)), new(Attributes.Reason, reason));
}
