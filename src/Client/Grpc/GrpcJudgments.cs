using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Client.Grpc;

/// <summary>Reads judgments and their stages from messages.</summary>
internal static class GrpcJudgments
{
    public static Assessment Stored(V1.Judgment message) =>
        message.Kind == V1.JudgmentKind.Completion ? Completion(message) : Assessment(message);

    public static Assessment Assessment(V1.Judgment message) => new()
    {
        Id = message.Id,
        Created = DateTimeOffset.FromUnixTimeSeconds(message.Created),
        Model = new(message.Model.Id, message.Model.Digest),
        Policy = new(message.Policy.Id, message.Policy.Version, message.Policy.Digest),
        OperatingPoint = GrpcEnum<V1.OperatingPoint>.Read<OperatingPoint>(message.OperatingPoint),
        Decision = GrpcEnum<V1.Decision>.Read<Decision>(message.Decision),
        Scores = message.Scores is { } scores ? new(scores.Answer, scores.Care, scores.Refuse) : null,
        Trace = message.Trace is { } trace ? new(Read(trace.Assessment), Read(trace.RuleCheck), Read(trace.Path)) : null,
        Usage = message.Usage is { } usage ? new(usage.InputTokens, usage.TraceTokens, usage.ForcedTokens, usage.CachedTokens) : null,
        Timings = message.Timings is { } timings ? new(timings.QueueMs, timings.PrefillMs, timings.DecodeMs, timings.TotalMs) : null,
        Turns = message.Turns is { } turns ? new(turns.Decides, [.. turns.Withheld]) : null,
        Degraded = [.. message.Degraded.Select(Read)],
    };

    public static Completion Completion(V1.Judgment message) => new(Assessment(message))
    {
        Output = message.Output is { } output ? new(output.Text, GrpcEnum<V1.OutputSource>.Require<OutputSource>(output.Source)) : null,
        FinishReason = GrpcEnum<V1.FinishReason>.Require<FinishReason>(message.FinishReason),
    };

    /// <summary>Null for events that this client does not know.</summary>
    public static CompletionUpdate? Update(V1.CompletionEvent message) => message.EventCase switch
    {
        V1.CompletionEvent.EventOneofCase.Assessment => new CompletionUpdate.Assessed(Read(message.Assessment)),
        V1.CompletionEvent.EventOneofCase.RuleCheck => new CompletionUpdate.RulesChecked(Read(message.RuleCheck.Checks)),
        V1.CompletionEvent.EventOneofCase.Path => new CompletionUpdate.PathDecided(Read(message.Path)),
        V1.CompletionEvent.EventOneofCase.Explanation => Explained(message.Explanation),
        V1.CompletionEvent.EventOneofCase.Output => new CompletionUpdate.Wrote(message.Output.Text),
        V1.CompletionEvent.EventOneofCase.Degraded => new CompletionUpdate.Degraded(Read(message.Degraded)),
        V1.CompletionEvent.EventOneofCase.Completion => new CompletionUpdate.Completed(Completion(message.Completion)),
        _ => null,
    };

    private static CompletionUpdate? Explained(V1.Explanation part) => part.StageCase switch
    {
        V1.Explanation.StageOneofCase.Assessment => new CompletionUpdate.Assessed(Read(part.Assessment)),
        V1.Explanation.StageOneofCase.RuleCheck => new CompletionUpdate.RulesChecked(Read(part.RuleCheck.Checks)),
        V1.Explanation.StageOneofCase.Path => new CompletionUpdate.PathDecided(Read(part.Path)),
        _ => null,
    };

    private static Degradation Read(V1.Degradation degradation) =>
        new(GrpcEnum<V1.DegradedPart>.Require<DegradedPart>(degradation.Part), degradation.Reason);

    private static AssessmentStage Read(V1.AssessmentStage stage) =>
        new(stage.HasIntent ? stage.Intent : null, [.. stage.Categories], GrpcEnum<V1.Risk>.Require<Risk>(stage.Risk));

    private static PathStage Read(V1.PathStage stage) =>
        new(GrpcEnum<V1.Decision>.Require<Decision>(stage.Decision), stage.HasStrategy ? stage.Strategy : null);

    private static IReadOnlyList<RuleCheck> Read(IEnumerable<V1.RuleCheck> checks) => [.. checks.Select(check => new RuleCheck(
        check.Rule, GrpcEnum<V1.Verdict>.Require<Verdict>(check.Verdict), check.Score,
        check.Evidence is { } quote ? new(quote.Text, quote.Start, quote.End, quote.Turn) : null))];
}
