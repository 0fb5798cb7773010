using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

[Description("A judgment: the decision, the three-stage trace that led to it, and what it cost.")]
internal record JudgmentBody
{
    public const string ContentType = "application/json";

    [Description("Sortable by time. Read the judgment again at `/v1/traces/{id}`.")]
    public required string Id { get; init; }

    [Description("`assessment` or `completion`.")]
    public required string Object { get; init; }

    [Description("Unix time in seconds.")]
    public required long Created { get; init; }

    public required ModelBody Model { get; init; }

    public required PolicyBody Policy { get; init; }

    [Description("`answer`: nothing speaks against it. `care`: answer, but along the strategy. `refuse`: do not answer.")]
    public required Decision Decision { get; init; }

    [Description("Calibrated probabilities of the three decisions. They sum to 1.")]
    public required DecisionScores Scores { get; init; }

    public required TraceBody Trace { get; init; }

    public required UsageBody Usage { get; init; }

    public required TimingsBody Timings { get; init; }

    public virtual byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Body.JudgmentBody);
}

[Description("A judgment, and the answer or refusal that follows from it.")]
internal sealed record CompletionBody : JudgmentBody
{
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

    [JsonPropertyOrder(1)]
    [Description("Null when the decision allows an answer but there is no model that can write one.")]
    public required OutputBody? Output { get; init; }

    [JsonPropertyOrder(1)]
    public required FinishReason FinishReason { get; init; }

    public override byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Body.CompletionBody);
}

[Description("The model that judged.")]
internal sealed record ModelBody(
    string Id,
    [property: Description("SHA-256 of the bundle's manifest, which fixes every file of the model.")] string Digest);

[Description("The policy that was applied.")]
internal sealed record PolicyBody(string Id, string Version, [property: Description("SHA-256 of the policy file.")] string Digest);

[Description("The three stages, in the order in which they were decided.")]
internal sealed record TraceBody(
    AssessmentStage Assessment,
    [property: Description("Every rule of the chosen categories, in the policy's order. Empty when no category applies.")] IReadOnlyList<RuleCheckBody> RuleCheck,
    PathStage Path);

[Description("What was found for one rule.")]
internal sealed record RuleCheckBody(
    [property: Description("Id of the rule, for example `S5.2`.")] string Rule,
    Verdict Verdict,
    [property: Description("Calibrated probability that the rule is violated, whatever the verdict says.")] double Score,
    [property: Description("The words that violate the rule, quoted verbatim. Null for other verdicts and in brief traces.")] Evidence? Evidence)
{
    public static IReadOnlyList<RuleCheckBody> Of(IReadOnlyList<RuleCheck> checks, IReadOnlyList<double> scores) =>
        [.. checks.Zip(scores, (check, score) => new RuleCheckBody(check.Rule, check.Verdict, score, check.Evidence))];
}

[Description("What the judgment cost, in tokens.")]
internal sealed record UsageBody(
    [property: Description("Tokens of the conversation.")] int InputTokens,
    [property: Description("Tokens of the trace.")] int TraceTokens,
    [property: Description("Tokens of the trace that were given by its format and did not have to be decoded.")] int ForcedTokens,
    [property: Description("Tokens of the conversation that were already computed for an earlier request.")] int CachedTokens);

[Description("Where the time went, in milliseconds.")]
internal sealed record TimingsBody(double QueueMs, double PrefillMs, double DecodeMs, double TotalMs);

[Description("The text for the user.")]
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

    /// <summary>The decision allows an answer, but no model that can write one is configured.</summary>
    NoAnswerSource,
}
