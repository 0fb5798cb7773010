using System.Text.Json.Serialization;

namespace SaferGuard.Client;

/// <summary>What to judge: either <see cref="Input"/> or <see cref="Messages"/>.</summary>
public record AssessRequest
{
    /// <summary>A single prompt of a user.</summary>
    public string? Input { get; init; }

    /// <summary>A conversation. The request that it makes is judged, in the light of all its messages.</summary>
    public IReadOnlyList<Message>? Messages { get; init; }

    /// <summary>The answer of a model. It is judged instead of the request that it answers.</summary>
    public string? Response { get; init; }

    /// <summary>How much of the trace is written; full where it is not given.</summary>
    public TraceLevel? Trace { get; init; }

    /// <summary>Which thresholds decide; the policy's own where it is not given.</summary>
    public OperatingPoint? OperatingPoint { get; init; }

    /// <summary>Id of the policy to judge by; the key's or the service's own where it is not given.</summary>
    public string? Policy { get; init; }

    /// <summary>A single prompt of a user.</summary>
    public static implicit operator AssessRequest(string input) => new() { Input = input };
}

/// <summary>What to judge and then to answer: either <see cref="AssessRequest.Input"/> or <see cref="AssessRequest.Messages"/>.</summary>
public sealed record CompleteRequest : AssessRequest
{
    /// <summary>Which model answers; the service's own where it is not given.</summary>
    public string? Model { get; init; }

    /// <summary>The most tokens of the answer.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>How freely the answer is sampled, from 0 (always the likeliest token) to 2.</summary>
    public double? Temperature { get; init; }

    /// <summary>Makes sampling repeatable.</summary>
    public int? Seed { get; init; }

    /// <summary>Set by the client.</summary>
    [JsonInclude]
    internal bool? Stream { get; init; }

    /// <summary>A single prompt of a user.</summary>
    public static implicit operator CompleteRequest(string input) => new() { Input = input };
}

/// <summary>One message of a conversation.</summary>
public sealed record Message(Role Role, string Content);

/// <summary>Who says a message.</summary>
public enum Role
{
    System,
    User,
    Assistant,
    Tool,
}

/// <summary>How much of a trace is written. The decisions are the same.</summary>
public enum TraceLevel
{
    Brief,
    Full,
}

/// <summary>How many false alarms are taken for how little missed harm.</summary>
public enum OperatingPoint
{
    Strict,
    Balanced,
    Permissive,
}
