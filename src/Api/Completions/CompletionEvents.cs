using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>One server-sent event. The data is JSON on one line.</summary>
internal readonly record struct ServerEvent(string Name, byte[] Data);

/// <summary>A stage that was decided before, now with its sentences or evidence, under the name that it has in the trace.</summary>
internal sealed record ExplanationEvent
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AssessmentStage? Assessment { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RuleCheckBody>? RuleCheck { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PathStage? Path { get; init; }
}

/// <summary>A piece of the answer.</summary>
internal sealed record OutputEvent(string Text);

/// <summary>Names and writes the events of a completion.</summary>
internal sealed class CompletionEvents
{
    /// <summary>Ends every stream that did not fail. Clients of OpenAI's streams wait for it.</summary>
    public const string Done = "data: [DONE]\n\n";

    private readonly HashSet<Type> _decided = [];

    /// <summary>The first time, a stage is named after itself; when it comes again, it explains what was decided.</summary>
    public ServerEvent Of(TraceStage stage)
    {
        var isFirst = _decided.Add(stage.GetType());
        return stage switch
        {
            TraceStage.Assessed assessed => isFirst
                ? new("assessment", Json(assessed.Stage, ApiJson.Body.AssessmentStage))
                : Explanation(new() { Assessment = assessed.Stage }),
            TraceStage.RulesChecked rules => isFirst
                ? new("rule_check", Json(RuleCheckBody.Of(rules.Checks, rules.Scores), ApiJson.Body.IReadOnlyListRuleCheckBody))
                : Explanation(new() { RuleCheck = RuleCheckBody.Of(rules.Checks, rules.Scores) }),
            TraceStage.PathDecided path => isFirst
                ? new("path", Json(path.Stage, ApiJson.Body.PathStage))
                : Explanation(new() { Path = path.Stage }),
            _ => throw new ArgumentOutOfRangeException(nameof(stage)),
        };
    }

    public static ServerEvent OfJudgment(JudgmentBody judgment) => new("judgment", judgment.ToJson());

    public static ServerEvent OfText(string text) => new("output", Json(new(text), ApiJson.Body.OutputEvent));

    private static ServerEvent Explanation(ExplanationEvent explained) => new("explanation", Json(explained, ApiJson.Body.ExplanationEvent));

    private static byte[] Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);
}
