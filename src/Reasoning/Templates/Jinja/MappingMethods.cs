namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Methods of <c>dict</c>; as in Python they come before an entry of the same name when written with a dot.</summary>
internal static class MappingMethods
{
    /// <summary>Null where there is no such method.</summary>
    public static Function? Find(Mapping mapping, string name) => name switch
    {
        "items" => new((_, b) => Pairs(mapping.Entries, b)),
        "keys" => new((_, b) => new Sequence(Slices.Items(mapping, b))),
        "values" => new((_, b) =>
        {
            b.Spend(mapping.Entries.Count);
            return new Sequence([.. mapping.Entries.Select(e => e.Value)]);
        }),
        "get" => new((a, _) =>
        {
            var given = a.Bind("key", "default");
            var key = Arguments.Required(given[0], "key");
            return mapping.Has(key) ? mapping.Item(key) : given[1] ?? None.Value;
        }),
        _ => null,
    };

    public static Sequence Pairs(IReadOnlyList<KeyValuePair<Value, Value>> entries, Budget budget)
    {
        budget.Spend(4L * entries.Count);
        return new Sequence([.. entries.Select(e => new Sequence([e.Key, e.Value], isTuple: true))]);
    }
}
