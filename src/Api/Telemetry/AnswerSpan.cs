using System.Diagnostics;
using SaferGuard.Api.Completions;
using static SaferGuard.Api.Telemetry.TelemetryNames;

namespace SaferGuard.Api.Telemetry;

/// <summary>One request that is judged and answered: a span around its judgments and its answer, and the times of the answer.</summary>
internal sealed class AnswerSpan(GuardMetrics metrics, Activity? span, string model, bool capturesContent)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _first;
    private string? _error;

    /// <summary>Notes when the first piece of the answer is there, and passes all on.</summary>
    public Action<string> Watch(Action<string>? next) => text =>
    {
        if (_first == 0) _first = Stopwatch.GetTimestamp();
        next?.Invoke(text);
    };

    /// <summary>The model wrote an answer, of which <see cref="Watch"/> saw the pieces.</summary>
    public void Wrote(int tokens)
    {
        span?.SetTag(Attributes.OutputTokens, tokens);
        if (_first == 0) return;
        metrics.Wrote(OperationNames.Answer, model, Stopwatch.GetElapsedTime(_started, _first), Stopwatch.GetElapsedTime(_first), tokens);
    }

    /// <summary>The request is answered, refused, or left to the caller, and on record.</summary>
    public void Completed(CompletionBody body)
    {
        if (span is not { IsAllDataRequested: true }) return;
        span.SetTag(Attributes.ResponseId, body.Id);
        span.SetTag(Attributes.FinishReasons, new[] { TagValue.Of(body.FinishReason) });
        if (body.Decision is { } decision) span.SetTag(Attributes.Decision, TagValue.Of(decision));
        if (capturesContent && body.Output is { } output) span.SetTag(Attributes.OutputMessages, TagValue.Of(output));
    }

    public void Failed(Exception fault)
    {
        _error = TagValue.Of(fault);
        span?.SetTag(Attributes.ErrorType, _error);
        span?.SetStatus(ActivityStatusCode.Error);
    }

    public void Ended() =>
        metrics.Took(OperationNames.Answer, model, Stopwatch.GetElapsedTime(_started), _error);
}
