using System.Diagnostics;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using static SaferGuard.Api.Telemetry.TelemetryNames;

namespace SaferGuard.Api.Telemetry;

/// <summary>Follows requests through the guard: opens the spans, all under the one of the HTTP request.</summary>
internal sealed class GuardTelemetry(GuardMetrics metrics, TelemetryOptions options) : IDisposable
{
    private readonly ActivitySource _source = new(Source);

    public GuardMetrics Metrics => metrics;

    /// <summary>Follows one judgment.</summary>
    /// <param name="decided">Who else is told of the stages.</param>
    /// <param name="judge">Is given who must be told of the stages.</param>
    public async Task<Judgment> JudgeAsync(
        string model, Policy policy, Conversation conversation, Direction direction, Action<TraceStage>? decided,
        Func<Action<TraceStage>, Task<Judgment>> judge)
    {
        using var activity = Start(OperationNames.Judge, model);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(Attributes.GuardrailName, Source);
            activity.SetTag(Attributes.GuardrailPolicy, policy.Id);
            activity.SetTag(Attributes.GuardrailPolicyVersion, policy.Version);
            activity.SetTag(Attributes.GuardrailSource, TagValue.Of(direction));
            if (options.CaptureContent) activity.SetTag(Attributes.InputMessages, TagValue.Of(conversation));
        }

        var span = new JudgmentSpan(this, activity, model, policy, direction);
        try
        {
            var judgment = await judge(span.Watch(decided));
            span.Judged(judgment);
            return judgment;
        }
        catch (Exception fault)
        {
            span.Failed(fault);
            throw;
        }
        finally
        {
            span.Ended();
        }
    }

    /// <summary>Follows one request to judge and to answer; its judgments follow within.</summary>
    public async Task<StoredJudgment> AnswerAsync(string model, CompleteRequest request, Func<AnswerSpan, Task<StoredJudgment>> answer)
    {
        using var activity = Start(OperationNames.Answer, model);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(Attributes.RequestMaxTokens, request.MaxTokens);
            activity.SetTag(Attributes.RequestTemperature, request.Temperature);
            activity.SetTag(Attributes.RequestSeed, request.Seed);
        }

        var span = new AnswerSpan(metrics, activity, model, options.CaptureContent);
        try
        {
            return await answer(span);
        }
        catch (Exception fault)
        {
            span.Failed(fault);
            throw;
        }
        finally
        {
            span.Ended();
        }
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
