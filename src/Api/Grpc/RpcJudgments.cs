using System.Collections.Frozen;
using SaferGuard.Api.Completions;
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
            Decision = Named<V1.Decision>.Of(body.Decision),
            Scores = new() { Answer = body.Scores.Answer, Care = body.Scores.Care, Refuse = body.Scores.Refuse },
            Trace = new() { Assessment = Of(body.Trace.Assessment), RuleCheck = { body.Trace.RuleCheck.Select(Of) }, Path = Of(body.Trace.Path) },
            Usage = new()
            {
                InputTokens = body.Usage.InputTokens,
                TraceTokens = body.Usage.TraceTokens,
                ForcedTokens = body.Usage.ForcedTokens,
                CachedTokens = body.Usage.CachedTokens,
                CachedVerdicts = body.Usage.CachedVerdicts ?? 0,
            },
            Timings = new()
            {
                QueueMs = body.Timings.QueueMs, PrefillMs = body.Timings.PrefillMs, DecodeMs = body.Timings.DecodeMs, TotalMs = body.Timings.TotalMs,
            },
        };
        if (body is not CompletionBody completion) return judgment;
        judgment.FinishReason = Named<V1.FinishReason>.Of(completion.FinishReason);
        if (completion.AnswerUsage is { } usage) judgment.AnswerUsage = new() { Model = usage.Model, InputTokens = usage.InputTokens, OutputTokens = usage.OutputTokens };
        if (completion.Output is { } output) judgment.Output = new() { Text = output.Text, Source = Named<V1.OutputSource>.Of(output.Source) };
        return judgment;
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
        CompletionStep.Completed completed => new() { Completion = Of(completed.Judgment) },
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

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
