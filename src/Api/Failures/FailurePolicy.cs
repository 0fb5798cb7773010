using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Telemetry;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Api.Failures;

/// <summary>
/// Decides, as configured, whether a failure of the guard stops a request. What is let pass is counted, logged, and told to the caller.
/// </summary>
internal sealed partial class FailurePolicy(FailureOptions options, GuardMetrics metrics, IHttpContextAccessor contexts, ILogger<FailurePolicy> logger)
{
    /// <summary>The guard could not judge a text. Returns how the request is degraded, or null if it must end with this fault.</summary>
    public Degradation? PassUnjudged(Direction direction, Exception fault)
    {
        if (fault is not (EngineUnavailableException or EngineTimeoutException)) return null;
        if ((direction == Direction.Input ? options.Input : options.Output) != FailureOptions.Open) return null;
        var kind = Errors.Of(fault).Kind;
        metrics.Unscanned(direction, kind);
        metrics.Degraded(direction, kind);
        return Log(new(Degradation.Of(direction), kind.Name), fault);
    }

    /// <summary>A judgment could not be stored. Returns how the request is degraded, or null if it must end with this fault.</summary>
    public Degradation? PassUnrecorded(Exception fault)
    {
        if (options.Store != FailureOptions.Open) return null;
        var kind = Errors.Of(fault).Kind;
        metrics.Unrecorded(kind);
        return Log(new(DegradedPart.Store, kind.Name), fault);
    }

    /// <summary>Tells who watches, or else says it in a header if there is still time, and in a trailer where the protocol has them (gRPC).</summary>
    public void Announce(Degradation degradation, CompletionObserver? observer)
    {
        if (observer?.Degraded is { } told)
        {
            told(degradation);
            return;
        }

        if (contexts.HttpContext?.Response is not { } response) return;
        if (!response.HasStarted) response.Headers.Append(Degradation.Header, degradation.ToString());
        if (response.SupportsTrailers()) response.AppendTrailer(Degradation.Header, degradation.ToString());
    }

    private Degradation Log(Degradation degradation, Exception fault)
    {
        LogDegraded(logger, degradation.Part, degradation.Reason, fault.GetType().Name);
        return degradation;
    }

    [LoggerMessage(20, LogLevel.Warning, "Degraded: {Part} is passed over ({Reason}, {Fault})")]
    private static partial void LogDegraded(ILogger logger, DegradedPart part, string reason, string fault);
}
