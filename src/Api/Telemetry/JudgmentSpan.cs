using System.Diagnostics;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using static SaferGuard.Api.Telemetry.TelemetryNames;

namespace SaferGuard.Api.Telemetry;

/// <summary>
/// One judgment: a span with a child for the queue, for the prefill and for each stage, and their times. The engine measured queue and
/// prefill; a stage lasts from the decision before it to its own.
/// </summary>
internal sealed class JudgmentSpan(GuardTelemetry telemetry, Activity? span, string model, Policy policy, Direction direction)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _assessed, _ruled, _decided;
    private string? _error;

    /// <summary>Notes when the stages are decided, and passes them on.</summary>
    public Action<TraceStage> Watch(Action<TraceStage>? next) => stage =>
    {
        ref var decided = ref stage is TraceStage.Assessed ? ref _assessed : ref stage is TraceStage.RulesChecked ? ref _ruled : ref _decided;
        if (decided == 0) decided = Stopwatch.GetTimestamp();
        next?.Invoke(stage);
    };

    public void Judged(Judgment judgment)
    {
        var violated = Violated(judgment).ToList();
        var (usage, timings) = (judgment.Usage, judgment.Timings);
        var isRemembered = usage.Remembered > 0;
        if (!isRemembered) telemetry.Metrics.Wrote(OperationNames.Judge, model, timings.Queue + timings.Prefill, timings.Decode, usage.Trace);
        foreach (var (stage, start, end) in isRemembered ? [] : StageTimes(timings, judgment.Trace.Assessment.Intent is not null))
        {
            telemetry.Metrics.StageTook(stage, end - start);
            if (span is { IsAllDataRequested: true }) telemetry.Add(stage, span.StartTimeUtc + start, span.StartTimeUtc + end);
        }

        if (span is not { IsAllDataRequested: true }) return;
        span.SetTag(Attributes.CacheHit, isRemembered);
        span.SetTag(Attributes.InputTokens, usage.Input);
        span.SetTag(Attributes.CachedTokens, usage.Cached);
        span.SetTag(Attributes.OutputTokens, usage.Trace);
        span.SetTag(Attributes.ReasoningTokens, usage.Trace);
        span.SetTag(Attributes.Decision, TagValue.Of(judgment.Trace.Path.Decision));
        AddResult([
            new(Attributes.ResultType, "decision"), new(Attributes.ResultValue, TagValue.Of(judgment.Trace.Path.Decision)),
            new(Attributes.RiskScore, judgment.Scores.Refuse),
        ]);
        foreach (var (category, rule, score) in violated)
        {
            AddResult([
                new(Attributes.ResultType, "verdict"), new(Attributes.ResultValue, TagValue.Of(Verdict.Violated)),
                new(Attributes.GuardrailRule, rule.Id), new(Attributes.RiskCategory, category.Id), new(Attributes.RiskScore, score),
            ]);
        }
    }

    public void Failed(Exception fault)
    {
        _error = TagValue.Of(fault);
        span?.SetTag(Attributes.ErrorType, _error);
        span?.SetStatus(ActivityStatusCode.Error);
    }

    public void Ended() =>
        telemetry.Metrics.Took(OperationNames.Judge, model, Stopwatch.GetElapsedTime(_started), _error);

    private IEnumerable<(Category Category, Rule Rule, double Score)> Violated(Judgment judgment) =>
        from check in judgment.Trace.RuleChecks.Zip(judgment.RuleScores)
        where check.First.Verdict == Verdict.Violated
        from category in policy.Categories
        from rule in category.Rules
        where rule.Id == check.First.Rule
        select (category, rule, check.Second);

    private void AddResult(List<KeyValuePair<string, object?>> tags) => span!.AddEvent(new(Spans.Result, tags: [
        new(Attributes.GuardrailName, Source), new(Attributes.GuardrailPolicy, policy.Id), new(Attributes.GuardrailPolicyVersion, policy.Version),
        new(Attributes.GuardrailSource, TagValue.Of(direction)), .. tags,
    ]));

    /// <summary>Start and end of the stages, counted from the start of the judgment.</summary>
    private IEnumerable<(string Stage, TimeSpan Start, TimeSpan End)> StageTimes(JudgmentTimings timings, bool explained)
    {
        // The assessment is read from the last row of the prefill, so that this is its first part.
        var (assessed, ruled, decided) = (Since(_assessed), Since(_ruled), Since(_decided));
        var rendered = timings.Total - timings.Queue - timings.Prefill - timings.Decode;
        var prefilled = TimeSpan.FromTicks(Math.Min((rendered + timings.Queue + timings.Prefill).Ticks, assessed.Ticks));
        yield return (Stages.Queue, prefilled - timings.Prefill - timings.Queue, prefilled - timings.Prefill);
        yield return (Stages.Prefill, prefilled - timings.Prefill, prefilled);
        yield return (Stages.Assessment, prefilled - timings.Prefill, assessed);
        yield return (Stages.RuleCheck, assessed, ruled);
        yield return (Stages.Path, ruled, decided);
        if (explained) yield return (Stages.Explanation, decided, prefilled + timings.Decode);

        TimeSpan Since(long moment) => Stopwatch.GetElapsedTime(_started, moment);
    }
}
