using System.Diagnostics;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using static SaferGuard.Api.Telemetry.TelemetryNames;

namespace SaferGuard.Api.Telemetry;

/// <summary>Follows requests through the guard: opens the spans, all under the one of the HTTP request.</summary>
internal sealed class GuardTelemetry(GuardMetrics metrics, TelemetryOptions options) : IDisposable
{
    private readonly ActivitySource _source = new(Source);

    public GuardMetrics Metrics => metrics;

    /// <summary>A judgment begins.</summary>
    public JudgmentSpan Judging(string model, Policy policy, Conversation conversation, Direction direction)
    {
        var span = Start(OperationNames.Judge, model);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(Attributes.GuardrailName, Source);
            span.SetTag(Attributes.GuardrailPolicy, policy.Id);
            span.SetTag(Attributes.GuardrailPolicyVersion, policy.Version);
            span.SetTag(Attributes.GuardrailSource, TagValue.Of(direction));
            if (options.CaptureContent) span.SetTag(Attributes.InputMessages, TagValue.Of(conversation));
        }

        return new(this, span, model, policy, direction);
    }

    /// <summary>A request to judge and answer begins; its judgments follow within.</summary>
    public AnswerSpan Answering(string model, CompleteRequest request)
    {
        var span = Start(OperationNames.Answer, model);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(Attributes.RequestMaxTokens, request.MaxTokens);
            span.SetTag(Attributes.RequestTemperature, request.Temperature);
            span.SetTag(Attributes.RequestSeed, request.Seed);
        }

        return new(metrics, span, model, options.CaptureContent);
    }

    /// <summary>A judgment is written to the store until the result is disposed.</summary>
    public IDisposable? Storing() => _source.StartActivity(Spans.Store);

    /// <summary>Adds a span of something that has already ended.</summary>
    public void Add(string name, DateTime start, DateTime end)
    {
        using var span = _source.StartActivity(name, ActivityKind.Internal, parentContext: default, startTime: start);
        span?.SetEndTime(end);
    }

    public void Dispose() => _source.Dispose();

    private Activity? Start(string operation, string model)
    {
        if (!_source.HasListeners()) return null;
        return _source.StartActivity(
            ActivityKind.Internal, default(ActivityContext),
            [new(Attributes.OperationName, operation), new(Attributes.ProviderName, Service), new(Attributes.RequestModel, model)],
            name: $"{operation} {model}");
    }
}
