namespace SaferGuard.Reasoning.Tokens.Unicode;

/// <summary>A normalised text and the part of the original that each of its UTF-16 units comes from.</summary>
/// <param name="Sources">Null where nothing was changed.</param>
internal readonly record struct NormalizedText(string Text, IReadOnlyList<(int Start, int End)>? Sources = null)
{
    /// <summary>The part of the original text that a part of this one comes from; not empty.</summary>
    public (int Start, int End) SourceOf(int start, int end) => Sources is null ? (start, end) : (Sources[start].Start, Sources[end - 1].End);
}
