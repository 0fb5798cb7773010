using System.Diagnostics.Metrics;
using SaferGuard.Api.Telemetry;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies;

/// <summary>Counts what becomes of policy files and of the shadow policy.</summary>
internal sealed class PolicyMetrics
{
    private readonly Counter<long> _judged;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _failed;

    public PolicyMetrics(IMeterFactory meters, PolicyBook book)
    {
        var meter = meters.Create(TelemetryNames.Source);
        meter.CreateObservableGauge(TelemetryNames.Metrics.PoliciesLive, () => book.Live.ById.Count, "{policy}", "Policies that are live.");
        meter.CreateObservableGauge(
            TelemetryNames.Metrics.PoliciesInvalid, () => book.Live.Invalid.Count, "{file}", "Policy files that are not live as they stand.");
        _judged = meter.CreateCounter<long>(TelemetryNames.Metrics.ShadowJudged, "{request}", "Requests that the shadow policy judged too.");
        _dropped = meter.CreateCounter<long>(TelemetryNames.Metrics.ShadowDropped, "{request}", "Requests that the shadow policy had no room for.");
        _failed = meter.CreateCounter<long>(TelemetryNames.Metrics.ShadowFailed, "{request}", "Requests that the shadow policy could not judge.");
    }

    public void ShadowJudged(Decision live, Decision shadow) =>
        _judged.Add(1, new(TelemetryNames.Attributes.Decision, Lower(live)), new(TelemetryNames.Attributes.ShadowDecision, Lower(shadow)));

    public void ShadowDropped() => _dropped.Add(1);

    public void ShadowFailed() => _failed.Add(1);

    private static string Lower(Decision decision) => decision.ToString().ToLowerInvariant();
}
