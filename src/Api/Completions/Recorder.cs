using SaferGuard.Api.Access;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Telemetry;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>Puts judgments on record before they are returned, unless the store may fail.</summary>
internal sealed class Recorder(JudgmentLog log, FailurePolicy failures, GuardTelemetry telemetry)
{
    /// <summary>What stands for the decision of a prompt that was let pass.</summary>
    private const string Unjudged = "unjudged";

    /// <returns>What is on record; or, marked as degraded, what could not be stored.</returns>
    public async Task<StoredJudgment> RecordAsync(JudgmentBody body, Caller caller, CompletionObserver? observer)
    {
        if (body.Decision is { } decision) telemetry.Metrics.Judged(body.Object, decision);
        var judgment = Judgment(body, caller);
        try
        {
            using (telemetry.Storing()) await log.AppendAsync(judgment);
            return judgment;
        }
        catch (Exception fault)
        {
            if (failures.PassUnrecorded(fault) is not { } unrecorded) throw;
            failures.Announce(unrecorded, observer);
            return Judgment(body with { Degraded = [.. body.Degraded ?? [], unrecorded] }, caller);
        }
    }

    private static StoredJudgment Judgment(JudgmentBody body, Caller caller) => new(
        body.Id, body.Object, body.Created, caller.Tenant, caller.Id, body.Decision is { } decision ? WireName.Of(decision) : Unjudged, body.Model.Digest,
        body.Policy.Digest, body.ToJson());
}
