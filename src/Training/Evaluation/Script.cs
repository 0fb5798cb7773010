using System.Text;

namespace SaferGuard.Training.Evaluation;

/// <summary>Guesses what a text is written in where its row does not say: by script alone, which tells Thai from Greek but not German from English.</summary>
internal static class Script
{
    private const string Japanese = "Japanese";
    private const string Han = "Han";

    /// <summary>First and last code point of each script's letters.</summary>
    private static readonly (int First, int Last, string Name)[] Ranges =
    [
        (0x41, 0x24F, "Latin"), (0x1E00, 0x1EFF, "Latin"), (0x370, 0x3FF, "Greek"), (0x1F00, 0x1FFF, "Greek"), (0x400, 0x52F, "Cyrillic"),
        (0x530, 0x58F, "Armenian"), (0x590, 0x5FF, "Hebrew"), (0x600, 0x77F, "Arabic"), (0x8A0, 0x8FF, "Arabic"), (0x900, 0x97F, "Devanagari"),
        (0x980, 0x9FF, "Bengali"), (0xA00, 0xA7F, "Gurmukhi"), (0xA80, 0xAFF, "Gujarati"), (0xB80, 0xBFF, "Tamil"), (0xC00, 0xC7F, "Telugu"),
        (0xC80, 0xCFF, "Kannada"), (0xD00, 0xD7F, "Malayalam"), (0xD80, 0xDFF, "Sinhala"), (0xE00, 0xE7F, "Thai"), (0xE80, 0xEFF, "Lao"),
        (0x1000, 0x109F, "Burmese"), (0x10A0, 0x10FF, "Georgian"), (0x1200, 0x139F, "Ethiopic"), (0x1780, 0x17FF, "Khmer"),
        (0x3040, 0x30FF, Japanese), (0x3400, 0x9FFF, Han), (0x1100, 0x11FF, "Korean"), (0xAC00, 0xD7AF, "Korean"),
    ];

    /// <summary>The script of most letters, said to be a guess: <c>Latin script (guess)</c>.</summary>
    public static string Guess(string text)
    {
        var counts = new Dictionary<string, int>();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetter(rune) && NameOf(rune.Value) is { } name) counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        // Japanese mixes both, Chinese has no kana.
        if (counts.ContainsKey(Japanese) && counts.Remove(Han, out var han)) counts[Japanese] += han;
        return counts.Count == 0 ? "no letters" : $"{counts.MaxBy(c => c.Value).Key} script (guess)";
    }

    private static string? NameOf(int letter)
    {
        foreach (var (first, last, name) in Ranges)
        {
            if (letter >= first && letter <= last) return name;
        }

        return null;
    }
}
