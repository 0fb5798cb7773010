namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>What methods and filters do to a text; foreign characters stay foreign.</summary>
internal static class TextOperations
{
    private static readonly string LineEnds = "\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029";

    public static Text Strip(Text text, Value? characters, Budget budget, bool left = true, bool right = true)
    {
        var set = characters is null or None ? Python.WhiteSpace : Of(characters, "the characters to strip").Characters;
        budget.SpendSearch(text, Text.OfTemplate(set));
        var (start, end) = (0, text.Length);
        while (left && start < end && set.Contains(text.Characters[start], StringComparison.Ordinal)) start++;
        while (right && end > start && set.Contains(text.Characters[end - 1], StringComparison.Ordinal)) end--;
        return text.Slice(start, end);
    }

    /// <summary>At white space, where empty pieces are left out, or at a separator.</summary>
    public static Sequence Split(Text text, Value? separator, Value? limit, Budget budget)
    {
        var isAtWhiteSpace = separator is null or None;
        if (isAtWhiteSpace) text = Strip(text, null, budget, right: false);
        var cuts = isAtWhiteSpace ? Gaps(text, budget) : Occurrences(text, Of(separator!, "the separator"), budget);
        var pieces = Between(text, cuts, Limit(limit), budget);
        return new Sequence(isAtWhiteSpace ? [.. pieces.Where(p => p.IsTrue)] : pieces);
    }

    public static Text Replace(Text text, Text old, Text replacement, Value? limit, Budget budget)
    {
        var builder = new TextBuilder(budget);
        var pieces = Between(text, Occurrences(text, old, budget), Limit(limit), budget);
        for (var i = 0; i < pieces.Count; i++)
        {
            if (i > 0) builder.Append(replacement);
            builder.Append(pieces[i]);
        }

        return builder.ToText();
    }

    /// <summary><c>str.splitlines()</c></summary>
    public static IReadOnlyList<Text> Lines(Text text, Budget budget)
    {
        budget.Spend(text.Length);
        var cuts = new List<TextRange>();
        for (var i = 0; i < text.Length; i++)
        {
            if (!LineEnds.Contains(text.Characters[i], StringComparison.Ordinal)) continue;
            var start = i;
            if (text.Characters[i] == '\r' && i + 1 < text.Length && text.Characters[i + 1] == '\n') i++;
            cuts.Add(new TextRange(start, i + 1));
        }

        var lines = Between(text, cuts, int.MaxValue, budget);
        return lines[^1].IsTrue ? lines : lines[..^1];
    }

    public static Text Upper(Text text, Budget budget) => Each(text, budget, (_, c) => char.ToUpperInvariant(c));

    public static Text Lower(Text text, Budget budget) => Each(text, budget, (_, c) => char.ToLowerInvariant(c));

    public static Text Capitalize(Text text, Budget budget) =>
        Each(text, budget, (before, c) => before is null ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c));

    /// <param name="endsWord">Whether a word starts after this character.</param>
    public static Text Title(Text text, Budget budget, Func<char, bool> endsWord) =>
        Each(text, budget, (before, c) => before is { } b && !endsWord(b) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));

    public static Text Join(IReadOnlyList<Value> items, Text separator, Budget budget)
    {
        var builder = new TextBuilder(budget);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) builder.Append(separator);
            builder.Append(Python.Str(items[i], budget));
        }

        return builder.ToText();
    }

    public static Text Of(Value value, string what) => value as Text ?? throw new TemplateException($"{what} must be text, not {value.TypeName}");

    private static Text Each(Text text, Budget budget, Func<char?, char, char> map)
    {
        budget.Spend(text.Length);
        return text.With(string.Create(text.Length, (text.Characters, map), static (characters, state) =>
        {
            for (var i = 0; i < characters.Length; i++)
                characters[i] = state.map(i == 0 ? null : state.Characters[i - 1], state.Characters[i]);
        }));
    }

    private static int Limit(Value? limit) => limit is null ? int.MaxValue
        : Operators.AsInteger(limit) is { } number ? number < 0 ? int.MaxValue : (int)Math.Min(number, int.MaxValue)
        : throw new TemplateException($"the limit must be an integer, not {limit.TypeName}");

    private static List<TextRange> Gaps(Text text, Budget budget)
    {
        budget.Spend(text.Length);
        var gaps = new List<TextRange>();
        for (var i = 0; i < text.Length; i++)
        {
            if (!Python.IsWhiteSpace(text.Characters[i])) continue;
            var start = i;
            while (i < text.Length && Python.IsWhiteSpace(text.Characters[i])) i++;
            gaps.Add(new TextRange(start, i));
        }

        return gaps;
    }

    private static List<TextRange> Occurrences(Text text, Text part, Budget budget)
    {
        if (part.Length == 0) throw new TemplateException("an empty text cannot be looked for");
        budget.SpendSearch(text, part);
        var found = new List<TextRange>();
        for (var i = 0; (i = text.Characters.IndexOf(part.Characters, i, StringComparison.Ordinal)) >= 0; i += part.Length)
            found.Add(new TextRange(i, i + part.Length));
        return found;
    }

    private static List<Text> Between(Text text, List<TextRange> cuts, int limit, Budget budget)
    {
        var count = Math.Min(cuts.Count, limit);
        budget.Spend(16L * count);
        var pieces = new List<Text>(count + 1);
        var start = 0;
        foreach (var cut in cuts.Take(count))
        {
            pieces.Add(text.Slice(start, cut.Start));
            start = cut.End;
        }

        pieces.Add(text.Slice(start, text.Length));
        return pieces;
    }
}
