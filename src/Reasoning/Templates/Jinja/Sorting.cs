namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Filters that put items in order. Like Jinja's they ignore case unless told otherwise.</summary>
internal static class Sorting
{
    public static Value Sort(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("reverse", "case_sensitive", "attribute");
        return new Sequence(InOrder(
            Slices.Items(value, budget), i => Key(given[2] is { } path ? Choosing.ByPath(i, path, budget) : i, given[1], budget), budget,
            descends: given[0] is { IsTrue: true }));
    }

    public static Value SortMapping(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("case_sensitive", "by", "reverse");
        var byValue = given[1] switch
        {
            null or Text { Characters: "key" } => false,
            Text { Characters: "value" } => true,
            _ => throw new TemplateException("a mapping is sorted by 'key' or by 'value'"),
        };
        if (value is not Mapping mapping) throw new TemplateException($"{value.TypeName} is not a mapping");
        var entries = InOrder(
            mapping.Entries, e => Key(byValue ? e.Value : e.Key, given[0], budget), budget, descends: given[2] is { IsTrue: true });
        return MappingMethods.Pairs(entries, budget);
    }

    public static Value Unique(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("case_sensitive", "attribute");
        var kept = new List<Value>();
        var keys = new List<Value>();
        foreach (var item in Slices.Items(value, budget))
        {
            var key = Key(given[1] is { } path ? Choosing.ByPath(item, path, budget) : item, given[0], budget);
            if (keys.Any(k => Operators.AreEqual(k, key, budget))) continue;
            keys.Add(key);
            kept.Add(item);
        }

        return new Sequence(kept);
    }

    /// <summary>Sorted by a key, equal ones in the order that they had.</summary>
    public static IReadOnlyList<T> InOrder<T>(IEnumerable<T> items, Func<T, Value> key, Budget budget, bool descends = false)
    {
        var order = Comparer<Value>.Create((a, b) =>
        {
            budget.Spend(1 + Math.Min((a as Text)?.Length ?? 0, (b as Text)?.Length ?? 0));
            return Operators.Order(a, b);
        });
        try
        {
            return [.. descends ? items.OrderByDescending(key, order) : items.OrderBy(key, order)];
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateException reason)
        {
            throw new TemplateException(reason.Reason); // sorting wraps what its comparer throws
        }
    }

    private static Value Key(Value value, Value? caseSensitive, Budget budget) =>
        value is Text text && caseSensitive is not { IsTrue: true } ? TextOperations.Lower(text, budget) : value;
}
