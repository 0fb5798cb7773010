using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Configuration;

/// <summary>The most that one request or connection may ask for. Section <c>Limits</c>. How long a prompt may be is a property of the model.</summary>
internal sealed class LimitOptions
{
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>All header fields of a request together.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxHeaderBytes { get; set; } = 16 * 1024;

    /// <summary>How long a client may take to send the header of a request.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A body that comes more slowly than this, after a start of five seconds, is given up.</summary>
    [Range(1, 1024 * 1024)]
    public int MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>Open connections, of all callers together; one more is closed at once. Null for no limit.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxConnections { get; set; }

    /// <summary>The most messages of a conversation.</summary>
    [Range(1, 10_000)]
    public int MaxTurns { get; set; } = 256;

    /// <summary>The most tokens that an answer may be asked to have.</summary>
    [Range(1, 1_000_000)]
    public int MaxAnswerTokens { get; set; } = 4096;
}
