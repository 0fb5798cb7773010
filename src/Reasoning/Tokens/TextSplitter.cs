using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>
/// Cuts text into the pieces inside which BPE merges: Hugging Face's pre-tokenisers, and one rule of ours, <see cref="MaxPieceLength"/>.
/// The patterns are a closed list because a pattern from a file could take exponential time.
/// </summary>
public sealed partial class TextSplitter
{
    /// <summary>
    /// A piece of more than this many characters (code points) is cut into pieces of this length, because merging takes quadratic time in the
    /// length of a piece. No natural word is so long; training and serving cut alike.
    /// </summary>
    public const int MaxPieceLength = 256;

    private const RegexOptions Options = RegexOptions.CultureInvariant;
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Qwen2Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string TekkenPattern =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly Regex[] _steps;

    private TextSplitter(params Regex[] steps) => _steps = steps;

    /// <summary>What <c>ByteLevel</c> with <c>use_regex</c> does; tokenisers that this project trains use it.</summary>
    public static TextSplitter Gpt2 { get; } = new(Gpt2Regex());

    /// <summary>Every digit by itself, then as <see cref="Gpt2"/>.</summary>
    internal static TextSplitter DigitsThenGpt2 { get; } = new(DigitRegex(), Gpt2Regex());

    internal static bool TryOfPattern(string pattern, [NotNullWhen(true)] out TextSplitter? splitter)
    {
        splitter = pattern switch
        {
            Gpt2Pattern => Gpt2,
            Llama3Pattern => new TextSplitter(Llama3Regex()),
            Qwen2Pattern => new TextSplitter(Qwen2Regex()),
            TekkenPattern => new TextSplitter(TekkenRegex()),
            _ => null,
        };
        return splitter is not null;
    }

    /// <summary>Appends the UTF-16 offset at which each piece ends; the pieces cover the text without gaps.</summary>
    public void Split(string text, List<int> ends)
    {
        var characters = OnePerCodePoint(text);
        var first = ends.Count;
        Split(characters, 0, 0, ends);
        if (characters.Length == text.Length) return;

        var (codePoint, offset) = (0, 0);
        for (var i = first; i < ends.Count; i++)
        {
            for (; codePoint < ends[i]; codePoint++) offset += IsPairAt(text, offset) ? 2 : 1;
            ends[i] = offset;
        }
    }

    private void Split(ReadOnlySpan<char> text, int start, int step, List<int> ends)
    {
        if (step == _steps.Length)
        {
            for (var end = MaxPieceLength; end < text.Length; end += MaxPieceLength) ends.Add(start + end);
            ends.Add(start + text.Length);
            return;
        }

        var done = 0;
        foreach (var match in _steps[step].EnumerateMatches(text))
        {
            if (match.Index > done) Split(text[done..match.Index], start + done, step + 1, ends);
            done = match.Index + match.Length;
            Split(text[match.Index..done], start + match.Index, step + 1, ends);
        }

        if (done < text.Length) Split(text[done..], start + done, step + 1, ends);
    }

    /// <summary>
    /// Regular expressions of .NET see UTF-16 code units and take a letter beyond U+FFFF for two symbols: it is replaced by one character of the
    /// same kind, so that the pieces are those of an engine that sees code points.
    /// </summary>
    private static string OnePerCodePoint(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDBFF')) return text;
        var characters = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (IsPairAt(text, i)) characters.Append(StandIn(CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(text, i++))));
            else characters.Append(text[i]);
        }

        return characters.ToString();
    }

    /// <summary>The patterns ask no more of a character beyond ASCII than which kind of letter, a mark, a number or a space it is.</summary>
    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => 'À',
        UnicodeCategory.LowercaseLetter => 'à',
        UnicodeCategory.TitlecaseLetter => 'ǅ',
        UnicodeCategory.ModifierLetter => 'ʰ',
        UnicodeCategory.OtherLetter => 'ª',
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => '\u0300',
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => '²',
        _ => '\uFFFD',
    };

    private static bool IsPairAt(string text, int i) => i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);

    [GeneratedRegex(@"\p{N}", Options)]
    private static partial Regex DigitRegex();

    [GeneratedRegex(Gpt2Pattern, Options)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(Llama3Pattern, Options)]
    private static partial Regex Llama3Regex();

    [GeneratedRegex(Qwen2Pattern, Options)]
    private static partial Regex Qwen2Regex();

    [GeneratedRegex(TekkenPattern, Options)]
    private static partial Regex TekkenRegex();
}
