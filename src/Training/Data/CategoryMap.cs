using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Data;

/// <summary>Maps the categories of public sources to those of the policy (<c>category-map.tsv</c>; the first line that fits wins).</summary>
internal sealed class CategoryMap(Lexicon lexicon)
{
    private readonly List<string[]> _rows = [.. EmbeddedFile.ReadTable("category-map.tsv")];

    /// <summary>The categories of a harmful or borderline-safe prompt; never none.</summary>
    /// <param name="category">The source's own category, or several divided by "; ".</param>
    public IReadOnlyList<string> Map(string source, string? category, string prompt) =>
        [.. (category ?? "").Split("; ").SelectMany(part => Targets(source, part)).Select(target => Resolve(target, prompt)).Distinct()];

    private string[] Targets(string source, string category) =>
        _rows.First(row => Fits(row[0], source) && Fits(row[1], category))[2].Split(',');

    private string Resolve(string target, string prompt) =>
        target[0] == '?' ? lexicon.BestCategory(prompt) ?? target[1..] : target;

    private static bool Fits(string pattern, string value) => pattern.EndsWith('*')
        ? value.StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal)
        : value == pattern;
}
