using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Configuration;

/// <summary>The most that one request may ask for. Section <c>Limits</c>. How long a prompt may be is a property of the model.</summary>
internal sealed class LimitOptions
{
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The most messages of a conversation.</summary>
    [Range(1, 10_000)]
    public int MaxTurns { get; set; } = 256;

    /// <summary>The most tokens that an answer may be asked to have.</summary>
    [Range(1, 1_000_000)]
    public int MaxAnswerTokens { get; set; } = 4096;
}
