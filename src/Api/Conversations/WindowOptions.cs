using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Conversations;

/// <summary>How answers and results of tools are cut into pieces that are judged one by one. Section <c>Windows</c>.</summary>
internal sealed class WindowOptions : IValidatableObject
{
    /// <summary>
    /// Characters that are judged at a time: a streamed answer is held back until so many have come. A small model overlooks a harmful line in a long
    /// window and suspects short ones: docs/gateway.md has the trade-off of the bundled one.
    /// </summary>
    [Range(32, 100_000)]
    public int Characters { get; set; } = 200;

    /// <summary>Characters that a window has in common with the next: no phrase up to this length leaves before it was judged as a whole.</summary>
    [Range(0, 50_000)]
    public int Overlap { get; set; } = 80;

    /// <summary>The most tokens of one request, over all its turns, however they are cut into judgments.</summary>
    [Range(16, 10_000_000)]
    public int MaxTokens { get; set; } = 32_768;

    /// <summary>Judgments of one request that run at the same time.</summary>
    [Range(1, 256)]
    public int MaxParallel { get; set; } = 16;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Overlap > Characters / 2) yield return new("Windows: Overlap must be at most half of Characters.", [nameof(Overlap)]);
    }
}
