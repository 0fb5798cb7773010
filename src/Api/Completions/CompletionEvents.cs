using System.Text.Json;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>One server-sent event. The data is JSON on one line.</summary>
internal sealed record ServerEvent(string Name, byte[] Data);

/// <summary>A piece of the output.</summary>
internal sealed record OutputEvent(string Text);

/// <summary>The events of a streamed completion, in the order in which they are sent.</summary>
internal static class CompletionEvents
{
    /// <summary>Ends every stream that did not fail.</summary>
    public const string Done = "data: [DONE]\n\n";

    /// <summary>A stage is sent as it will stand in the trace, but still without sentences and evidence.</summary>
    public static ServerEvent Decided(TraceStage stage) => stage switch
    {
        TraceStage.Assessed assessed => new("assessment", JsonSerializer.SerializeToUtf8Bytes(assessed.Stage, ApiJson.Body.AssessmentStage)),
        TraceStage.RulesChecked rules => new(
            "rule_check",
            JsonSerializer.SerializeToUtf8Bytes(RuleCheckBody.Of(rules.Checks, rules.Scores), ApiJson.Body.IReadOnlyListRuleCheckBody)),
        TraceStage.PathDecided path => new("path", JsonSerializer.SerializeToUtf8Bytes(path.Stage, ApiJson.Body.PathStage)),
        _ => throw new ArgumentOutOfRangeException(nameof(stage)),
    };

    /// <summary>All that <c>/v1/assess</c> would return, under the id of the completion.</summary>
    public static ServerEvent Judged(JudgmentBody judgment) => new("judgment", judgment.ToJson());

    public static ServerEvent Wrote(string text) => new("output", JsonSerializer.SerializeToUtf8Bytes(new(text), ApiJson.Body.OutputEvent));

    /// <summary>The body that is stored.</summary>
    public static ServerEvent Completed(byte[] body) => new("completion", body);

    /// <summary>Ends a stream that failed.</summary>
    public static ServerEvent Failed(byte[] problem) => new("error", problem);
}
