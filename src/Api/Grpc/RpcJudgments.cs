using System.Collections.Frozen;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning.Traces;
using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Grpc;

/// <summary>Says judgments and their stages as messages.</summary>
internal static class RpcJudgments
{
    /// <summary>From the stored body, so that a judgment is the same whoever made it and whoever reads it.</summary>
    public static V1.Judgment Of(StoredJudgment stored)
    {
        var body = JudgmentBody.Of(stored);
        var judgment = new V1.Judgment
        {
            Id = body.Id,
            Kind = body is CompletionBody ? V1.JudgmentKind.Completion : V1.JudgmentKind.Assessment,
            Created = body.Created,
            Model = new() { Id = body.Model.Id, Digest = body.Model.Digest },
            Policy = new() { Id = body.Policy.Id, Version = body.Policy.Version, Digest = body.Policy.Digest },
            OperatingPoint = Named<V1.OperatingPoint>.Of(body.OperatingPoint),
            Subject = Named<V1.Subject>.Of(body.Subject ?? Subject.Prompt),
            Decision = body.Decision is { } decision ? Named<V1.Decision>.Of(decision) : default,
            Scores = body.Scores is { } scores ? Of(scores) : null,
            Trace = body.Trace is { } trace ? Of(trace) : null,
            Turns = body.Turns is { } turns ? new() { Decides = turns.Decides, Withheld = { turns.Withheld }, Apart = { turns.Apart } } : null,
            Usage = body.Usage is { } usage ? Of(usage) : null,
            Timings = body.Timings is { } timings ? Of(timings) : null,
            Degraded = { (body.Degraded ?? []).Select(Of) },
        };
        if (body is CompletionBody completion) Complete(judgment, completion);
        return judgment;
    }

    private static void Complete(V1.Judgment judgment, CompletionBody completion)
    {
        judgment.FinishReason = Named<V1.FinishReason>.Of(completion.FinishReason);
        if (completion.AnswerUsage is { } usage) judgment.AnswerUsage = new() { Model = usage.Model, InputTokens = usage.InputTokens, OutputTokens = usage.OutputTokens };
        if (completion.Output is { } output) judgment.Output = new() { Text = output.Text, Source = Named<V1.OutputSource>.Of(output.Source) };
        if (completion.OutputJudgment is { } judged)
        {
            judgment.OutputJudgment = new()
            {
                Decision = Named<V1.Decision>.Of(judged.Decision),
                Scores = Of(judged.Scores),
                Trace = Of(judged.Trace),
                Usage = Of(judged.Usage),
                Timings = Of(judged.Timings),
            };
        }

        if (completion.Withheld is { } withheld)
        {
            judgment.Withheld = new()
            {
                Reason = Named<V1.WithheldReason>.Of(withheld.Reason),
                Start = withheld.Start,
                Characters = withheld.Characters,
                Digest = withheld.Digest,
            };
        }
    }

    public static V1.CompletionEvent Of(CompletionStep step) => step switch
    {
        CompletionStep.Decided { Stage: TraceStage.Assessed stage } => new() { Assessment = Of(stage.Stage) },
        CompletionStep.Decided { Stage: TraceStage.RulesChecked stage } => new() { RuleCheck = Of(stage) },
        CompletionStep.Decided { Stage: TraceStage.PathDecided stage } => new() { Path = Of(stage.Stage) },
        CompletionStep.Explained { Stage: TraceStage.Assessed stage } => new() { Explanation = new() { Assessment = Of(stage.Stage) } },
        CompletionStep.Explained { Stage: TraceStage.RulesChecked stage } => new() { Explanation = new() { RuleCheck = Of(stage) } },
        CompletionStep.Explained { Stage: TraceStage.PathDecided stage } => new() { Explanation = new() { Path = Of(stage.Stage) } },
        CompletionStep.Wrote wrote => new() { Output = new() { Text = wrote.Text } },
        CompletionStep.Degraded degraded => new() { Degraded = Of(degraded.What) },
        CompletionStep.Completed completed => WithheldProblem.Of(completed.Judgment) is { } cut ? throw cut : new() { Completion = Of(completed.Judgment) },
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    private static V1.Degradation Of(Degradation degradation) => new() { Part = Named<V1.DegradedPart>.Of(degradation.Part), Reason = degradation.Reason };

    private static V1.DecisionScores Of(DecisionScores scores) => new() { Answer = scores.Answer, Care = scores.Care, Refuse = scores.Refuse };

    private static V1.Trace Of(TraceBody trace) =>
        new() { Assessment = Of(trace.Assessment), RuleCheck = { trace.RuleCheck.Select(Of) }, Path = Of(trace.Path) };

    private static V1.Usage Of(UsageBody usage) => new()
    {
        InputTokens = usage.InputTokens,
        TraceTokens = usage.TraceTokens,
        ForcedTokens = usage.ForcedTokens,
        CachedTokens = usage.CachedTokens,
        CachedVerdicts = usage.CachedVerdicts ?? 0,
    };

    private static V1.Timings Of(TimingsBody timings) =>
        new() { QueueMs = timings.QueueMs, PrefillMs = timings.PrefillMs, DecodeMs = timings.DecodeMs, TotalMs = timings.TotalMs };

    private static V1.AssessmentStage Of(AssessmentStage stage)
    {
        var message = new V1.AssessmentStage { Categories = { stage.Categories }, Risk = Named<V1.Risk>.Of(stage.Risk) };
        if (stage.Intent is { } intent) message.Intent = intent;
        return message;
    }

    private static V1.RuleCheckStage Of(TraceStage.RulesChecked stage) => new() { Checks = { RuleCheckBody.Of(stage.Checks, stage.Scores).Select(Of) } };

    private static V1.RuleCheck Of(RuleCheckBody check) => new()
    {
        Rule = check.Rule,
        Verdict = Named<V1.Verdict>.Of(check.Verdict),
        Score = check.Score,
        Enforcement = Named<V1.Enforcement>.Of(check.Enforcement),
        Evidence = check.Evidence is { } quote ? new() { Text = quote.Text, Start = quote.Start, End = quote.End, Turn = quote.Turn } : null,
    };

    private static V1.PathStage Of(PathStage stage)
    {
        var message = new V1.PathStage { Decision = Named<V1.Decision>.Of(stage.Decision) };
        if (stage.Strategy is { } strategy) message.Strategy = strategy;
        return message;
    }

    /// <summary>Values of the contract's enumerations by the names that they share with ours.</summary>
    private static class Named<TTo>
        where TTo : struct, Enum
    {
        private static readonly FrozenDictionary<string, TTo> s_values = Enum.GetValues<TTo>().ToFrozenDictionary(value => value.ToString());

        public static TTo Of<TFrom>(TFrom value)
            where TFrom : struct, Enum => s_values[value.ToString()];
    }
}
