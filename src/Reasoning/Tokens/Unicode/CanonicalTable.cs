using System.Collections.Frozen;
using System.Globalization;

namespace SaferGuard.Reasoning.Tokens.Unicode;

/// <summary>
/// What Unicode says of canonical decomposition, order and composition. It comes with the assembly because .NET asks ICU for it, which serving
/// images lack: without ICU, <see cref="string.Normalize()"/> silently leaves text as it is. Hangul is arithmetic and not in the table.
/// </summary>
internal static class CanonicalTable
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;

    private static readonly Dictionary<int, int[]> Decompositions = [];
    private static readonly Dictionary<(int, int), int> Compositions = [];
    private static readonly Dictionary<int, int> Classes = [];

    /// <summary>Characters that may join with the one before them.</summary>
    private static readonly FrozenSet<int> Joining;

    /// <summary>Characters that NFC may change: those of <see cref="Joining"/>, and those that are never composed.</summary>
    private static readonly FrozenSet<int> Unsettled;

    static CanonicalTable()
    {
        var unsettled = new HashSet<int>();
        using var stream = typeof(CanonicalTable).Assembly.GetManifestResourceStream("canonical.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            var fields = line.Split(' ');
            switch (fields[0])
            {
                case "=" or "!":
                    int[] parts = [.. fields[2..].Select(Hex)];
                    Decompositions.Add(Hex(fields[1]), parts);
                    if (fields[0] == "=") Compositions.Add((parts[0], parts[1]), Hex(fields[1]));
                    else unsettled.Add(Hex(fields[1]));
                    break;
                case "+":
                    foreach (var range in fields[2..].Select(r => r.Split('-').Select(Hex).ToArray()))
                        for (var code = range[0]; code <= range[^1]; code++) Classes.Add(code, int.Parse(fields[1], CultureInfo.InvariantCulture));
                    break;
            }
        }

        var seconds = Compositions.Keys.Select(pair => pair.Item2)
            .Concat(Enumerable.Range(VowelBase, Vowels)).Concat(Enumerable.Range(TailBase + 1, Tails - 1)).ToHashSet();
        Joining = seconds.Concat(Classes.Keys).Concat(Decompositions.Keys.Where(c => seconds.Contains(First(c)) || ClassOf(First(c)) != 0)).ToFrozenSet();
        Unsettled = unsettled.Concat(Joining).ToFrozenSet();
    }

    public static bool IsJoining(int code) => Joining.Contains(code);

    public static bool IsUnsettled(int code) => Unsettled.Contains(code);

    /// <summary>The combining class: 0 for characters that start anew.</summary>
    public static int ClassOf(int code) => Classes.GetValueOrDefault(code);

    /// <summary>Appends a character in its smallest parts.</summary>
    public static void Decompose(int code, List<int> parts)
    {
        var syllable = code - HangulBase;
        if (syllable is >= 0 and < Leads * Vowels * Tails)
        {
            parts.Add(LeadBase + syllable / (Vowels * Tails));
            parts.Add(VowelBase + syllable / Tails % Vowels);
            if (syllable % Tails != 0) parts.Add(TailBase + syllable % Tails);
        }
        else if (Decompositions.TryGetValue(code, out var smaller))
        {
            foreach (var part in smaller) Decompose(part, parts);
        }
        else
        {
            parts.Add(code);
        }
    }

    public static bool TryCompose(int first, int second, out int composed)
    {
        int lead = first - LeadBase, vowel = second - VowelBase, tail = second - TailBase, syllable = first - HangulBase;
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
        {
            composed = HangulBase + (lead * Vowels + vowel) * Tails;
            return true;
        }

        if (syllable is >= 0 and < Leads * Vowels * Tails && syllable % Tails == 0 && tail is > 0 and < Tails)
        {
            composed = first + tail;
            return true;
        }

        return Compositions.TryGetValue((first, second), out composed);
    }

    private static int First(int code) => Decompositions.TryGetValue(code, out var parts) ? First(parts[0]) : code;

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
