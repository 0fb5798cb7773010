using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Access.Idempotency;

/// <summary>How long replies to requests with an <c>Idempotency-Key</c> are kept. Section <c>Idempotency</c>.</summary>
internal sealed class IdempotencyOptions
{
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromHours(24);

    /// <summary>A longer reply is sent but not kept.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxReplyBytes { get; set; } = 256 * 1024;

    /// <summary>Of a caller that sends more, the oldest replies are forgotten before their time.</summary>
    [Range(1, 10_000_000)]
    public int MaxRepliesPerCaller { get; set; } = 10_000;
}
