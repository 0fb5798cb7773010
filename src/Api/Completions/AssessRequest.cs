using System.ComponentModel;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>A valid request to judge: it has either an input or messages. Made by <see cref="RequestReader"/>.</summary>
[Description("What to judge. Give either `input` or `messages`.")]
internal record AssessRequest
{
    [Description("A single prompt of a user.")]
    public string? Input { get; init; }

    [Description("A conversation. The request that it makes is judged, in the light of all its messages.")]
    public IReadOnlyList<Message>? Messages { get; init; }

    [Description("`full` explains the decisions with sentences and evidence; `brief` has the same decisions and is faster.")]
    [DefaultValue(TraceLevel.Full)]
    public TraceLevel Trace { get; init; } = TraceLevel.Full;

    public Conversation ToConversation() =>
        Messages is null ? Conversation.OfPrompt(Input!) : new([.. Messages.Select(message => new Turn(message.Role, message.Content))]);

    /// <summary>The field that holds the text, for errors about it.</summary>
    public string TextField() => Messages is null ? "input" : "messages";
}

[Description("What to judge and then to answer. Give either `input` or `messages`.")]
internal sealed record CompleteRequest : AssessRequest
{
    public const double MaxTemperature = 2;

    [Description("The most tokens of the answer.")]
    [DefaultValue(256)]
    public int MaxTokens { get; init; } = 256;

    [Description("How freely the answer is sampled: 0 always takes the likeliest token.")]
    [DefaultValue(0.0)]
    public double Temperature { get; init; }

    [Description("Makes sampling repeatable.")]
    [DefaultValue(0)]
    public int Seed { get; init; }

    [Description("Send server-sent events: the stages of the trace as they are decided, then the answer.")]
    [DefaultValue(false)]
    public bool Stream { get; init; }

    public AnswerOptions ToAnswerOptions() => new(MaxTokens, Temperature, Seed);
}

[Description("One message of a conversation.")]
internal sealed record Message(Role Role, [property: Description("May be empty, but not in every message.")] string Content);
