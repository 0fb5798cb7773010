using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>A judgment, and the answer or refusal that follows from it.</summary>
internal sealed record CompletionBody : JudgmentBody
{
    public const string Kind = "completion";

    [JsonConstructor]
    public CompletionBody()
    {
    }

    /// <summary>Goes on from a judgment.</summary>
    [SetsRequiredMembers]
    public CompletionBody(JudgmentBody judgment, OutputBody? output, FinishReason reason)
        : base(judgment)
    {
        Output = output;
        FinishReason = reason;
    }

    /// <summary>Null when the decision allows an answer but there is no model that can write one.</summary>
    [JsonPropertyOrder(1)]
    public required OutputBody? Output { get; init; }

    [JsonPropertyOrder(1)]
    public required FinishReason FinishReason { get; init; }

    /// <summary>The judgment of the answer. Absent when there was none to judge, or when it could not be judged.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(1)]
    public OutputJudgmentBody? OutputJudgment { get; init; }

    /// <summary>What of the answer did not leave the service. Absent when all of it did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(1)]
    public WithheldBody? Withheld { get; init; }

    /// <summary>What the answer cost where it was written. Absent when nobody says.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(1)]
    public AnswerUsageBody? AnswerUsage { get; init; }

    public override byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Body.CompletionBody);
}

/// <summary>The judgment of an answer: that of the whole with its conversation, or that of the window that was refused.</summary>
internal sealed record OutputJudgmentBody(Decision Decision, DecisionScores Scores, TraceBody Trace, UsageBody Usage, TimingsBody Timings)
{
    public static OutputJudgmentBody Of(Judgment judgment) => new(
        judgment.Trace.Path.Decision, judgment.Scores, TraceBody.Of(judgment), UsageBody.Of(judgment.Usage), TimingsBody.Of(judgment.Timings));
}

/// <summary>The part of an answer that did not leave.</summary>
/// <param name="Start">Where it begins in the answer, in UTF-16 units.</param>
/// <param name="Characters">Its length, as far as it had come.</param>
/// <param name="Digest">SHA-256 of it in UTF-8.</param>
internal sealed record WithheldBody(WithheldReason Reason, int Start, int Characters, string Digest);

internal enum WithheldReason
{
    /// <summary>It was judged and refused; see <c>output_judgment</c>.</summary>
    Refused,

    /// <summary>It could not be judged.</summary>
    Unjudged,

    /// <summary>The answer broke off before its window was complete.</summary>
    Interrupted,

    /// <summary>The upstream's own filter stopped the answer.</summary>
    Upstream,
}

/// <summary>Tokens that an answer cost where it was written.</summary>
/// <param name="Model">The model that wrote it, as its server names it.</param>
internal sealed record AnswerUsageBody(string Model, int InputTokens, int OutputTokens);

/// <summary>The text for the user.</summary>
internal sealed record OutputBody(string Text, OutputSource Source);

/// <summary>Who wrote the output: the model that judged, the policy (a refusal), or a model behind the service.</summary>
internal enum OutputSource
{
    Model,
    Policy,
    Upstream,
}

/// <summary>Why the output ends where it does.</summary>
internal enum FinishReason
{
    /// <summary>The answer is complete.</summary>
    Stop,

    /// <summary>The answer reached <c>max_tokens</c>.</summary>
    Length,

    /// <summary>The decision is to refuse; the output says why.</summary>
    Refused,

    /// <summary>The answer, or the rest of it, was judged and refused, or filtered upstream.</summary>
    Withheld,

    /// <summary>The answer broke off. The caller was told by an error.</summary>
    Interrupted,

    /// <summary>The decision allows an answer, but no model that can write one is configured.</summary>
    NoAnswerSource,
}
