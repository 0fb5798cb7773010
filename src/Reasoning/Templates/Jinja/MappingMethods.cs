namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Methods of <c>dict</c>; as in Python they come before an entry of the same name when written with a dot.</summary>
internal static class MappingMethods
{
    /// <summary>Null where there is no such method.</summary>
    public static Function? Find(Mapping mapping, string name) => name switch
    {
        "items" => new((_, b) => Items(mapping, b)),
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
            return key is Text text && mapping.Has(text.Characters) ? mapping.Item(text) : given[1] ?? None.Value;
        }),
        _ => null,
    };

    public static Sequence Items(Mapping mapping, Budget budget)
    {
        budget.Spend(4L * mapping.Entries.Count);
        return new Sequence([.. mapping.Entries.Select(e => new Sequence([e.Key, e.Value], isTuple: true))]);
    }
}
