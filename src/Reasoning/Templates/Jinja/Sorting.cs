namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Filters that put items in order. Like Jinja's they ignore case unless told otherwise.</summary>
internal static class Sorting
{
    public static Value Sort(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("reverse", "case_sensitive", "attribute");
        var items = Slices.Items(value, budget);
        return new Sequence(InOrder(items, i => given[2] is { } path ? Choosing.ByPath(i, path, budget) : i, given[0], given[1], budget));
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
        var entries = MappingMethods.Items(mapping, budget).Items;
        return new Sequence(InOrder(entries, e => ((Sequence)e).Items[byValue ? 1 : 0], given[2], given[0], budget));
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

    private static IReadOnlyList<Value> InOrder(
        IReadOnlyList<Value> items, Func<Value, Value> key, Value? reverse, Value? caseSensitive, Budget budget)
    {
        var order = Comparer<Value>.Create((a, b) =>
        {
            budget.Spend(1 + Math.Min((a as Text)?.Length ?? 0, (b as Text)?.Length ?? 0));
            return Operators.Order(a, b);
        });
        var keyed = items.Select(i => (Item: i, Key: Key(key(i), caseSensitive, budget))).ToList();
        var sorted = reverse is { IsTrue: true } ? keyed.OrderByDescending(k => k.Key, order) : keyed.OrderBy(k => k.Key, order);
        return [.. sorted.Select(k => k.Item)];
    }

    private static Value Key(Value value, Value? caseSensitive, Budget budget) =>
        value is Text text && caseSensitive is not { IsTrue: true } ? TextOperations.Lower(text, budget) : value;
}
