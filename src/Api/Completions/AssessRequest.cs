using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>What to judge. Give either <c>input</c> or <c>messages</c>.</summary>
/// <remarks>Made by <see cref="RequestReader"/>, so that it is valid.</remarks>
internal record AssessRequest
{
    /// <summary>A single prompt of a user.</summary>
    public string? Input { get; init; }

    /// <summary>A conversation. The request that it makes is judged, in the light of all its messages.</summary>
    public IReadOnlyList<Message>? Messages { get; init; }

    /// <summary><c>full</c> explains the decisions with sentences and evidence; <c>brief</c> has the same decisions and is faster.</summary>
    [DefaultValue(TraceLevel.Full)]
    public TraceLevel Trace { get; init; } = TraceLevel.Full;

    /// <summary><c>strict</c> refuses more, <c>permissive</c> less than <c>balanced</c>. Without it, the policy's own is used. Not every model has all three.</summary>
    public OperatingPoint? OperatingPoint { get; init; }

    /// <summary>The answer that a model gave. It is judged instead of the request, in the light of it.</summary>
    public string? Response { get; init; }

    /// <summary>
    /// Id of the policy to judge by, or the digest of one of its versions. Without it, the policy of the caller's key is used, or else the service's default.
    /// </summary>
    [MaxLength(MaxPolicyLength)]
    public string? Policy { get; init; }

    public const int MaxPolicyLength = 128;

    /// <summary>Whether a verdict that is remembered from before will do.</summary>
    [JsonIgnore]
    public virtual bool MayBeRemembered => true;

    public Conversation ToConversation() =>
        Messages is null ? Conversation.OfPrompt(Input!) : new([.. Messages.Select(message => new Turn(message.Role, message.Content))]);

    /// <summary>The field that holds the text, for errors about it.</summary>
    public string TextField() => Messages is null ? "input" : "messages";
}

/// <summary>What to judge and then to answer. Give either <c>input</c> or <c>messages</c>.</summary>
internal sealed record CompleteRequest : AssessRequest
{
    public const double MaxTemperature = 2;

    /// <summary>Which model answers: a name that <c>/v1/models</c> lists. Without it, the default one.</summary>
    public string? Model { get; init; }

    /// <summary>The most tokens of the answer. Without it, the upstream's own limit, or 256 for the model that judges.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxTokens { get; init; }

    /// <summary>How freely the answer is sampled: 0 always takes the likeliest token. Without it, as the model that answers is set up.</summary>
    [Range(0, MaxTemperature)]
    public double? Temperature { get; init; }

    /// <summary>Makes sampling repeatable, as far as the model that answers can.</summary>
    [Range(0, int.MaxValue)]
    public int? Seed { get; init; }

    /// <summary>Send server-sent events: the stages of the trace as they are decided, then the answer.</summary>
    [DefaultValue(false)]
    public bool Stream { get; init; }

    /// <summary>Who asks for a sample wants everything made anew.</summary>
    [JsonIgnore]
    public override bool MayBeRemembered => Temperature is null or 0 && Seed is null or 0;

    public AnswerOptions ToAnswerOptions() => new(MaxTokens ?? 256, Temperature ?? 0, Seed ?? 0);
}

/// <summary>One message of a conversation.</summary>
/// <param name="Content">May be empty, but not in every message.</param>
internal sealed record Message(Role Role, string Content);
