using System.Diagnostics.Metrics;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Telemetry;

/// <summary>
/// Counts what the guard does. Attributes take few values, whatever users send: decisions, directions, rules of the policy, and kinds of the
/// error table.
/// </summary>
internal sealed class GuardMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _blocked;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _unscanned;
    private readonly Counter<long> _degraded;
    private readonly Counter<long> _unrecorded;
    private readonly Counter<long> _cacheHits;
    private readonly Counter<long> _cacheMisses;

    public GuardMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(TelemetryNames.Source);
        _requests = meter.CreateCounter<long>(TelemetryNames.Requests, "{request}", "Judged requests.");
        _blocked = meter.CreateCounter<long>(TelemetryNames.Blocked, "{rule}", "Rules that stood against a text that was blocked.");
        _errors = meter.CreateCounter<long>(TelemetryNames.Errors, "{error}", "Requests that ended with an error.");
        _unscanned = meter.CreateCounter<long>(TelemetryNames.Unscanned, "{text}", "Texts that were let through without having been judged.");
        _degraded = meter.CreateCounter<long>(TelemetryNames.Degraded, "{request}", "Requests that were served with less than the configured checks.");
        _unrecorded = meter.CreateCounter<long>(TelemetryNames.Unrecorded, "{judgment}", "Judgments that were returned without having been stored.");
        _cacheHits = meter.CreateCounter<long>(TelemetryNames.CacheHits, "{judgment}", "Judgments that the verdict cache held.");
        _cacheMisses = meter.CreateCounter<long>(TelemetryNames.CacheMisses, "{judgment}", "Judgments that the verdict cache was asked for and did not hold.");
    }

    /// <param name="operation"><c>assess</c> or <c>complete</c>.</param>
    public void Judged(string operation, Decision decision) =>
        _requests.Add(1, new(TelemetryNames.Operation, operation), new(TelemetryNames.Decision, Lower(decision)));

    /// <summary>A text did not go on. Each rule counts; <c>none</c> where the decision alone stood against it.</summary>
    public void Blocked(Direction direction, IReadOnlyCollection<string> rules)
    {
        if (rules.Count == 0) Count("none", "path");
        foreach (var rule in rules) Count(rule, "rule_check");

        void Count(string rule, string stage) => _blocked.Add(
            1, new(TelemetryNames.Rule, rule), new(TelemetryNames.Stage, stage), new(TelemetryNames.Direction, Lower(direction)));
    }

    public void Failed(ErrorKind kind) => _errors.Add(1, new KeyValuePair<string, object?>(TelemetryNames.ErrorType, kind.Name));

    /// <summary>A text went on, or will go on, without having been judged.</summary>
    /// <param name="reason">What kept the guard from judging it.</param>
    public void Unscanned(Direction direction, ErrorKind reason) => Count(_unscanned, direction, reason.Name);

    /// <summary>A text went on, or will go on, without having been judged, because the configuration does not ask for it.</summary>
    public void Unscanned(Direction direction) => Count(_unscanned, direction, "off");

    /// <summary>A request is served with less than the configured checks, because failures are to be passed over.</summary>
    public void Degraded(Direction direction, ErrorKind reason) => Count(_degraded, direction, reason.Name);

    /// <summary>A judgment is returned that could not be stored.</summary>
    public void Unrecorded(ErrorKind reason) => _unrecorded.Add(1, new KeyValuePair<string, object?>(TelemetryNames.Reason, reason.Name));

    public void CacheHit() => _cacheHits.Add(1);

    public void CacheMiss() => _cacheMisses.Add(1);

    private static void Count(Counter<long> counter, Direction direction, string reason) =>
        counter.Add(1, new(TelemetryNames.Direction, Lower(direction)), new(TelemetryNames.Reason, reason));

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
