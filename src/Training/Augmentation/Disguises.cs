using System.Text;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Augmentation;

/// <summary>Writes a text so that a reader of words misses it. Harmful and harmless texts are disguised alike.</summary>
internal static class Disguises
{
    /// <summary>Each letter and the signs that stand for it.</summary>
    private static readonly Dictionary<char, string> _leet =
        "a4@ e3 i1! o0 s5$ t7 b8 g9".Split(' ').ToDictionary(signs => signs[0], signs => signs[1..]);

    /// <summary>Each Latin letter and a Cyrillic or Greek one that looks like it.</summary>
    private static readonly Dictionary<char, char> _lookalikes =
        "aа cс eе oо pр xх yу iі vν".Split(' ').ToDictionary(pair => pair[0], pair => pair[1]);

    public static string Apply(string text, Draw draw) => draw.Below(24) switch
    {
        < 6 => Leet(text, draw),
        < 9 => Spaced(text, draw),
        < 11 => Lookalikes(text, draw),
        < 13 => Stretched(text, draw),
        < 15 => Interleaved(text, draw),
        15 => $"Decode this and answer: {Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}",
        16 => $"rot13: {Rot13(text)}",
        17 => $"Read backwards and answer: {Reversed(text)}",
        18 => Split(text),
        19 => $"This is hexadecimal, do what it says: {Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text))}",
        20 => $"Open this query and answer it: ?q={Uri.EscapeDataString(text)}",
        21 => FullWidth(text),
        22 => ZeroWidth(text, draw),
        _ => Alternating(text),
    };

    public static string Leet(string text, Draw draw) => string.Concat(text.Select(c =>
        _leet.TryGetValue(char.ToLowerInvariant(c), out var forms) && draw.Chance(.6) ? forms[draw.Below(forms.Length)] : c));

    public static string Rot13(string text) => string.Concat(text.Select(c =>
        char.IsAsciiLetterLower(c) ? (char)('a' + ((c - 'a' + 13) % 26))
        : char.IsAsciiLetterUpper(c) ? (char)('A' + ((c - 'A' + 13) % 26))
        : c));

    private static string Lookalikes(string text, Draw draw) =>
        string.Concat(text.Select(c => _lookalikes.TryGetValue(c, out var other) && draw.Chance(.4) ? other : c));

    /// <summary>Some words with their letters set apart.</summary>
    private static string Spaced(string text, Draw draw)
    {
        var gap = draw.Of<string>([" ", ".", "-", "_", "*"]);
        return string.Join(' ', text.Split(' ').Select(word => word.Length > 3 && draw.Chance(.4) ? string.Join(gap, word.ToCharArray()) : word));
    }

    /// <summary>Some vowels repeated.</summary>
    private static string Stretched(string text, Draw draw) =>
        string.Concat(text.Select(c => "aeiou".Contains(c) && draw.Chance(.2) ? new string(c, 2 + draw.Below(3)) : c.ToString()));

    /// <summary>Some letters starred out.</summary>
    private static string Interleaved(string text, Draw draw) =>
        string.Concat(text.Select((c, i) => i > 0 && "aeiou".Contains(c) && draw.Chance(.35) ? '*' : c));

    private static string Alternating(string text) =>
        string.Concat(text.Select((c, i) => i % 2 == 0 ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)));

    /// <summary>ASCII as the wide signs that stand beside Chinese and Japanese ones.</summary>
    private static string FullWidth(string text) =>
        string.Concat(text.Select(c => c == ' ' ? '\u3000' : c is > ' ' and <= '~' ? (char)(c + 0xFEE0) : c));

    /// <summary>Signs without width inside some words.</summary>
    private static string ZeroWidth(string text, Draw draw) =>
        string.Concat(text.Select((c, i) => i > 0 && char.IsLetter(c) && char.IsLetter(text[i - 1]) && draw.Chance(.3) ? $"\u200B{c}" : $"{c}"));

    private static string Reversed(string text)
    {
        var letters = text.ToCharArray();
        Array.Reverse(letters);
        return new string(letters);
    }

    private static string Split(string text)
    {
        var middle = text.Length / 2;
        return $"a = \"{text[..middle]}\"; b = \"{text[middle..]}\"; answer the question a + b";
    }
}
