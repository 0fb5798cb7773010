namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Elements of texts and lists by position. A text's elements are its code points, as in Python.</summary>
internal static class Slices
{
    public const int MaxItems = 100_000;

    /// <summary>Everything that a loop over the value sees.</summary>
    public static IReadOnlyList<Value> Items(Value value, Budget budget)
    {
        switch (value)
        {
            case Sequence { Items: var items }:
                budget.Spend(items.Count);
                return items;
            case Mapping { Entries: var entries }:
                budget.Spend(entries.Count);
                return [.. entries.Select(e => e.Key)];
            case Text text:
                if (text.Length > MaxItems) throw new TemplateException($"a text of more than {MaxItems} characters is taken apart");
                budget.Spend(16L * text.Length);
                var ends = Ends(text);
                return [.. ends.Select((end, i) => text.Slice(i == 0 ? 0 : ends[i - 1], end))];
            case Undefined:
                return [];
            default:
                throw new TemplateException($"there is nothing to go through in {value.TypeName}");
        }
    }

    public static long Length(Value value, Budget budget)
    {
        switch (value)
        {
            case Text text:
                budget.Spend(text.Length / 8);
                return text.Length - Pairs(text);
            case Sequence { Items.Count: var count }:
                return count;
            case Mapping { Entries.Count: var count }:
                return count;
            case Undefined:
                return 0;
            default:
                throw new TemplateException($"{value.TypeName} has no length");
        }
    }

    public static Value Item(Value value, Value key, Budget budget)
    {
        if (value is not Text text || key is not Integer { Number: var index }) return value.Item(key);
        budget.Spend(text.Length);
        var ends = Ends(text);
        if (index < 0) index += ends.Count;
        return index >= 0 && index < ends.Count ? text.Slice(index == 0 ? 0 : ends[(int)index - 1], ends[(int)index]) : value.Item(key);
    }

    public static Value Slice(Value value, Value? start, Value? stop, Value? step, Budget budget)
    {
        if (value is Text text)
        {
            budget.Spend(text.Length);
            var ends = Ends(text);
            var (first, last, stride) = Bounds(start, stop, step, ends.Count);
            if (stride == 1) return text.Slice(Offset(first), Offset(last));
            var builder = new TextBuilder(budget);
            foreach (var i in Positions(first, last, stride)) builder.Append(text, Offset(i), Offset(i + 1));
            return builder.ToText();

            int Offset(long index) => index == 0 ? 0 : ends[(int)index - 1];
        }

        if (value is Sequence { Items: var items, IsTuple: var isTuple })
        {
            budget.Spend(items.Count);
            var (first, last, stride) = Bounds(start, stop, step, items.Count);
            return new Sequence([.. Positions(first, last, stride).Select(i => items[(int)i])], isTuple);
        }

        throw new TemplateException($"{value.TypeName} cannot be sliced");
    }

    /// <summary>The rules of Python's <c>slice.indices</c>.</summary>
    private static (long First, long Last, long Step) Bounds(Value? start, Value? stop, Value? step, int count)
    {
        var stride = Position(step) ?? 1;
        if (stride is 0 or long.MinValue) throw new TemplateException("a slice cannot have this step");
        var (low, high) = stride > 0 ? (0L, (long)count) : (-1L, count - 1L);
        return (Clamp(start, stride > 0 ? low : high), Clamp(stop, stride > 0 ? high : low), stride);

        long Clamp(Value? value, long otherwise) =>
            Position(value) is not { } index ? otherwise : Math.Clamp(index < 0 ? Math.Max(index, -count - 1L) + count : index, low, high);
    }

    private static long? Position(Value? value) => value switch
    {
        null or None => null,
        _ when Operators.AsInteger(value) is { } number => number,
        _ => throw new TemplateException($"a slice is given by integers, not by {value.TypeName}"),
    };

    private static IEnumerable<long> Positions(long first, long last, long step)
    {
        for (var i = first; step > 0 ? i < last : i > last; i += step)
        {
            yield return i;
            if (step > 0 ? i > last - step : i < last - step) yield break; // the next one could overflow
        }
    }

    /// <summary>Where each code point ends.</summary>
    private static List<int> Ends(Text text)
    {
        var ends = new List<int>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            i += IsPairAt(text.Characters, i) ? 2 : 1;
            ends.Add(i);
        }

        return ends;
    }

    private static int Pairs(Text text)
    {
        var pairs = 0;
        for (var i = text.Characters.AsSpan().IndexOfAnyInRange('\uD800', '\uDBFF'); i >= 0 && i < text.Length; i++)
        {
            if (IsPairAt(text.Characters, i)) pairs++;
        }

        return pairs;
    }

    private static bool IsPairAt(string text, int i) => i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
}
