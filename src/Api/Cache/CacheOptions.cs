using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Cache;

/// <summary>Whether and how long verdicts are remembered. Section <c>Cache</c>.</summary>
internal sealed class CacheOptions
{
    /// <summary>Off by default: what is remembered holds sentences and evidence from prompts, in memory.</summary>
    public bool Enabled { get; set; }

    /// <summary>The most verdicts that are remembered; the longest unused goes first.</summary>
    [Range(1, 10_000_000)]
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>The most memory that they take, as far as it can be estimated.</summary>
    [Range(64 * 1024, long.MaxValue)]
    public long MaxBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>A verdict is forgotten this long after it was made, however often it is used.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan Expiry { get; set; } = TimeSpan.FromMinutes(10);
}
