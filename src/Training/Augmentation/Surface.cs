using System.Text;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Augmentation;

/// <summary>Types a text as people do: lower case, typos, short forms, greetings. Blind to what the text asks, so that style tells nothing.</summary>
internal sealed class Surface
{
    private readonly string[] _openers;
    private readonly string[] _closers;
    private readonly Dictionary<string, string> _shortForms;

    public Surface()
    {
        var file = EmbeddedFile.ReadYaml<SurfaceFile>("surface.yaml");
        _openers = file.Openers.Split(" | ");
        _closers = file.Closers.Split(" | ");
        _shortForms = file.ShortForms;
    }

    public string Vary(string text, Draw draw)
    {
        if (draw.Chance(.12)) text = $"{draw.Of(_openers)} {text}";
        if (draw.Chance(.14)) text = $"{text} {draw.Of(_closers)}";
        if (draw.Chance(.10)) text = ShortForms(text, draw);
        if (draw.Chance(.15)) text = Typo(text, draw);
        if (draw.Chance(.03)) text = Typo(text, draw);
        return draw.Below(20) switch
        {
            < 5 => text.ToLowerInvariant(),
            5 => text.ToUpperInvariant(),
            < 9 => Sentence(text),
            < 11 => text.TrimEnd('?', '.', '!'),
            _ => text,
        };
    }

    /// <summary>One slip of the fingers inside a word: two letters swapped, one doubled, one left out or one mistyped.</summary>
    public static string Typo(string text, Draw draw)
    {
        if (text.Length < 5) return text;
        var at = 1 + draw.Below(text.Length - 3);
        if (!char.IsAsciiLetter(text[at]) || !char.IsAsciiLetter(text[at + 1])) return text;
        var slip = new StringBuilder(text);
        switch (draw.Below(4))
        {
            case 0:
                (slip[at], slip[at + 1]) = (slip[at + 1], slip[at]);
                break;
            case 1:
                slip.Insert(at, slip[at]);
                break;
            case 2:
                slip.Remove(at, 1);
                break;
            default:
                slip[at] = (char)('a' + draw.Below(26));
                break;
        }

        return slip.ToString();
    }

    private string ShortForms(string text, Draw draw)
    {
        foreach (var (word, form) in _shortForms)
        {
            if (draw.Chance(.6)) text = $" {text} ".Replace($" {word} ", $" {form} ", StringComparison.OrdinalIgnoreCase).Trim();
        }

        return text;
    }

    private static string Sentence(string text)
    {
        var start = $"{char.ToUpperInvariant(text[0])}{text.AsSpan(1)}";
        return char.IsLetterOrDigit(text[^1]) ? $"{start}." : start;
    }

    private sealed class SurfaceFile
    {
        public string Openers { get; init; } = "";

        public string Closers { get; init; } = "";

        public Dictionary<string, string> ShortForms { get; init; } = [];
    }
}
