using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace SaferGuard.Client;

/// <summary>A judgment: the decision, the three-stage trace that led to it, and what it cost.</summary>
public record Assessment
{
    /// <summary>Finds the judgment again: <see cref="ISaferGuardClient.FindTraceAsync"/>.</summary>
    public required string Id { get; init; }

    /// <summary>When it was made.</summary>
    [JsonConverter(typeof(UnixSeconds))]
    public required DateTimeOffset Created { get; init; }

    /// <summary>The model that judged.</summary>
    public required GuardModel Model { get; init; }

    /// <summary>The policy that was applied.</summary>
    public required AppliedPolicy Policy { get; init; }

    /// <summary>The operating point whose thresholds decided.</summary>
    public OperatingPoint? OperatingPoint { get; init; }

    /// <summary>What follows: answer, answer with care, or refuse. Null, as what it rests on, only in a completion that was let pass unjudged.</summary>
    public required Decision? Decision { get; init; }

    /// <summary>Calibrated probabilities of the three decisions.</summary>
    public DecisionScores? Scores { get; init; }

    /// <summary>How the decision came about.</summary>
    public Trace? Trace { get; init; }

    /// <summary>Of conversations: which turns the decision is about. Null otherwise.</summary>
    public Turns? Turns { get; init; }

    /// <summary>What the judgment cost, in tokens.</summary>
    public Usage? Usage { get; init; }

    /// <summary>Where the time went.</summary>
    public Timings? Timings { get; init; }

    /// <summary>What the guard could not do and the service lets pass. Empty when nothing was left out.</summary>
    public IReadOnlyList<Degradation> Degraded { get => field ?? []; init; }

    /// <summary>The rules that were found violated.</summary>
    [JsonIgnore]
    public IEnumerable<RuleCheck> Violations => Trace?.RuleCheck.Where(check => check.Verdict == Verdict.Violated) ?? [];
}

/// <summary>A judgment, and the answer or refusal that follows from it.</summary>
public sealed record Completion : Assessment
{
    [JsonConstructor]
    public Completion()
    {
    }

    /// <summary>Goes on from a judgment.</summary>
    [SetsRequiredMembers]
    internal Completion(Assessment judgment)
        : base(judgment)
    {
    }

    /// <summary>The text for the user. Null when the decision allows an answer but nothing can write one.</summary>
    public Output? Output { get; init; }

    /// <summary>Why the output ends where it does.</summary>
    public required FinishReason FinishReason { get; init; }
}

/// <summary>What follows from the rules.</summary>
public enum Decision
{
    /// <summary>Nothing speaks against an answer.</summary>
    Answer,

    /// <summary>Answer, but along the strategy of <see cref="PathStage"/>.</summary>
    Care,

    /// <summary>Do not answer.</summary>
    Refuse,
}

/// <summary>Calibrated probabilities of the three decisions; they sum to 1.</summary>
public sealed record DecisionScores(double Answer, double Care, double Refuse);

/// <summary>The model that judged. <paramref name="Digest"/> fixes every file of it.</summary>
public sealed record GuardModel(string Id, string Digest);

/// <summary>The policy that was applied. <paramref name="Digest"/> fixes its text.</summary>
public sealed record AppliedPolicy(string Id, string Version, string Digest);

/// <summary>The turns of a conversation, by their index in it.</summary>
/// <param name="Decides">The turn that the decision is about.</param>
/// <param name="Withheld">Older turns that are refused but over. Leave them out of what you forward to a model.</param>
public sealed record Turns(int Decides, IReadOnlyList<int> Withheld);

/// <summary>What a judgment cost, in tokens.</summary>
public sealed record Usage(int InputTokens, int TraceTokens, int ForcedTokens, int CachedTokens);

/// <summary>Where the time went, in milliseconds.</summary>
public sealed record Timings(double QueueMs, double PrefillMs, double DecodeMs, double TotalMs);

/// <summary>Something that the guard could not do and the service lets pass.</summary>
/// <param name="Reason">The name of the error that would have been sent otherwise.</param>
public sealed record Degradation(DegradedPart Part, string Reason);

/// <summary>Which part of the guard's work was left out.</summary>
public enum DegradedPart
{
    /// <summary>The prompt was not judged.</summary>
    Input,

    /// <summary>The answer, or the rest of it, was not judged.</summary>
    Output,

    /// <summary>The judgment is not stored.</summary>
    Store,
}

/// <summary>The text for the user.</summary>
public sealed record Output(string Text, OutputSource Source);

/// <summary>Who wrote an output.</summary>
public enum OutputSource
{
    /// <summary>The model that judged.</summary>
    Model,

    /// <summary>The policy: a refusal.</summary>
    Policy,

    /// <summary>A model behind the service.</summary>
    Upstream,
}

/// <summary>Why an output ends where it does.</summary>
public enum FinishReason
{
    /// <summary>The answer is complete.</summary>
    Stop,

    /// <summary>The answer reached the most tokens that it may have.</summary>
    Length,

    /// <summary>The decision is to refuse; the output says why.</summary>
    Refused,

    /// <summary>The answer, or the rest of it, was judged and refused.</summary>
    Withheld,

    /// <summary>The answer broke off.</summary>
    Interrupted,

    /// <summary>The decision allows an answer, but nothing that can write one is configured.</summary>
    NoAnswerSource,
}
