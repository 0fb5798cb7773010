using System.Text;

namespace SaferGuard.Reasoning.Tokens.Unicode;

/// <summary>Unicode's normalisation form C: what can be one character is one, and marks are in canonical order.</summary>
internal static class Nfc
{
    /// <summary>No character before this one is ever changed.</summary>
    private const char FirstUnsettled = '\u0300';

    /// <summary>A cluster that was changed is one place: all that came out of it comes from all that went in.</summary>
    /// <param name="text">Well-formed: no lone surrogates.</param>
    public static NormalizedText Compose(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange(FirstUnsettled, char.MaxValue) < 0 || !text.EnumerateRunes().Any(r => CanonicalTable.IsUnsettled(r.Value)))
            return new NormalizedText(text);

        var composed = new StringBuilder(text.Length);
        var sources = new List<(int, int)>(text.Length);
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = EndOfCluster(text, start);
            var cluster = text[start..end];
            var normal = Compose(cluster.EnumerateRunes());
            composed.Append(normal);
            for (var i = 0; i < normal.Length; i++) sources.Add(normal == cluster ? (start + i, start + i + 1) : (start, end));
        }

        return new NormalizedText(composed.ToString(), sources);
    }

    private static string Compose(StringRuneEnumerator cluster)
    {
        var codes = new List<int>();
        foreach (var rune in cluster) CanonicalTable.Decompose(rune.Value, codes);
        Order(codes);
        Compose(codes);
        return string.Concat(codes.Select(c => new Rune(c)));
    }

    /// <summary>The end of a character with everything that may join it. What lies in different clusters never meets.</summary>
    private static int EndOfCluster(string text, int start)
    {
        var end = start + Rune.GetRuneAt(text, start).Utf16SequenceLength;
        while (end < text.Length && Rune.GetRuneAt(text, end) is var rune && CanonicalTable.IsJoining(rune.Value)) end += rune.Utf16SequenceLength;
        return end;
    }

    /// <summary>Sorts each run of marks by class; those of one class keep their order.</summary>
    private static void Order(List<int> codes)
    {
        for (int start = 0, end; start < codes.Count; start = end)
        {
            end = start + 1;
            if (CanonicalTable.ClassOf(codes[start]) == 0) continue;
            while (end < codes.Count && CanonicalTable.ClassOf(codes[end]) != 0) end++;
            var sorted = codes[start..end].OrderBy(CanonicalTable.ClassOf).ToList();
            for (var i = start; i < end; i++) codes[i] = sorted[i - start];
        }
    }

    /// <summary>Puts each mark that can into the last character that starts anew, unless one of its class or a higher one lies between.</summary>
    private static void Compose(List<int> codes)
    {
        int starter = -1, kept = 0, lastClass = 0;
        for (var i = 0; i < codes.Count; i++)
        {
            var code = codes[i];
            var @class = CanonicalTable.ClassOf(code);
            var isAdjacent = kept == starter + 1;
            if (starter >= 0 && (isAdjacent || lastClass < @class) && CanonicalTable.TryCompose(codes[starter], code, out var composed))
            {
                codes[starter] = composed;
                continue;
            }

            if (@class == 0) starter = kept;
            lastClass = @class;
            codes[kept++] = code;
        }

        codes.RemoveRange(kept, codes.Count - kept);
    }
}
