using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>A judgment: the decision, the three-stage trace that led to it, and what it cost.</summary>
internal record JudgmentBody
{
    public const string ContentType = "application/json";

    /// <summary>Sortable by time. Read the judgment again at <c>/v1/traces/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>assessment</c> or <c>completion</c>.</summary>
    public required string Object { get; init; }

    /// <summary>Unix time in seconds.</summary>
    public required long Created { get; init; }

    public required ModelBody Model { get; init; }

    public required PolicyBody Policy { get; init; }

    /// <summary>The operating point whose thresholds decided.</summary>
    public required OperatingPoint OperatingPoint { get; init; }

    /// <summary>What was judged. Absent: the request. <c>response</c>: the answer to it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Subject? Subject { get; init; }

    /// <summary>
    /// <c>answer</c>: nothing speaks against it. <c>care</c>: answer, but along the strategy. <c>refuse</c>: do not answer.
    /// Null, as are scores, trace, usage and timings, only in a completion that was let pass unjudged; <c>degraded</c> then says why.
    /// </summary>
    public required Decision? Decision { get; init; }

    /// <summary>Calibrated probabilities of the three decisions. They sum to 1.</summary>
    public required DecisionScores? Scores { get; init; }

    public required TraceBody? Trace { get; init; }

    /// <summary>Of conversations: what the decision is about, and what became of older turns.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TurnsBody? Turns { get; init; }

    public required UsageBody? Usage { get; init; }

    public required TimingsBody? Timings { get; init; }

    /// <summary>What the guard could not do and the configuration lets pass. Absent when nothing was left out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(2)]
    public IReadOnlyList<Degradation>? Degraded { get; init; }

    /// <summary>Reads a stored judgment: a <see cref="CompletionBody"/> where it is one.</summary>
    public static JudgmentBody Of(StoredJudgment stored) => stored.Kind == CompletionBody.Kind
        ? JsonSerializer.Deserialize(stored.Body, ApiJson.Body.CompletionBody)!
        : JsonSerializer.Deserialize(stored.Body, ApiJson.Body.JudgmentBody)!;

    public virtual byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Body.JudgmentBody);
}

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

/// <summary>The model that judged.</summary>
/// <param name="Digest">SHA-256 of the bundle's manifest, which fixes every file of the model.</param>
internal sealed record ModelBody(string Id, string Digest);

/// <summary>The policy that was applied.</summary>
/// <param name="Digest">SHA-256 of the policy file.</param>
internal sealed record PolicyBody(string Id, string Version, string Digest);

/// <summary>The three stages, in the order in which they were decided.</summary>
/// <param name="RuleCheck">Every rule of the chosen categories, in the policy's order. Empty when no category applies.</param>
internal sealed record TraceBody(AssessmentStage Assessment, IReadOnlyList<RuleCheckBody> RuleCheck, PathStage Path)
{
    public static TraceBody Of(Judgment judgment) =>
        new(judgment.Trace.Assessment, RuleCheckBody.Of(judgment.Trace.RuleChecks, judgment.RuleScores), judgment.Trace.Path);
}

/// <summary>What was found for one rule.</summary>
/// <param name="Rule">Id of the rule, for example <c>S5.2</c>.</param>
/// <param name="Score">Calibrated probability that the rule is violated, whatever the verdict says.</param>
/// <param name="Evidence">The words that violate the rule, quoted verbatim. Null for other verdicts and in brief traces.</param>
/// <param name="Enforcement"><c>monitor</c> where the policy only wants the verdict recorded: it did not decide. Absent where it did.</param>
internal sealed record RuleCheckBody(
    string Rule, Verdict Verdict, double Score, Evidence? Evidence,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Enforcement Enforcement = default)
{
    public static IReadOnlyList<RuleCheckBody> Of(IReadOnlyList<RuleCheck> checks, IReadOnlyList<double> scores) =>
        [.. checks.Zip(scores, (check, score) => new RuleCheckBody(check.Rule, check.Verdict, score, check.Evidence, check.Enforcement))];
}

/// <summary>The turns of a conversation, by their index in it.</summary>
/// <param name="Decides">The turn that the decision is about.</param>
/// <param name="Withheld">
/// Older turns that are refused but over: they do not stand against this request, and are not shown to the model that answers. Who forwards a
/// conversation after <c>/v1/assess</c> must leave them out too.
/// </param>
/// <param name="Apart">Turns that were judged, but not together with the request, because all together are too long for the model.</param>
internal sealed record TurnsBody(int Decides, IReadOnlyList<int> Withheld, IReadOnlyList<int> Apart);

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

/// <summary>What the judgment cost, in tokens.</summary>
/// <param name="InputTokens">Tokens of the conversation, as often as they were read.</param>
/// <param name="TraceTokens">Tokens of the trace.</param>
/// <param name="ForcedTokens">Those of them that the format gave, so that they were not decoded one by one.</param>
/// <param name="CachedTokens">Tokens of the conversation that were not computed again.</param>
/// <param name="CachedVerdicts">Verdicts that were not made again, because the same text had been judged by the same policy. Absent where there are none.</param>
internal sealed record UsageBody(
    int InputTokens, int TraceTokens, int ForcedTokens, int CachedTokens,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? CachedVerdicts = null)
{
    public static UsageBody Of(TokenUsage usage) =>
        new(usage.Input, usage.Trace, usage.Forced, usage.Cached, usage.Remembered > 0 ? usage.Remembered : null);
}

/// <summary>Where the time went, in milliseconds.</summary>
internal sealed record TimingsBody(double QueueMs, double PrefillMs, double DecodeMs, double TotalMs)
{
    public static TimingsBody Of(JudgmentTimings timings) =>
        new(Milliseconds(timings.Queue), Milliseconds(timings.Prefill), Milliseconds(timings.Decode), Milliseconds(timings.Total));

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}

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
