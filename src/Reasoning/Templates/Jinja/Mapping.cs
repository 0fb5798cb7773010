namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A dictionary with strings for keys, in the order of its entries.</summary>
internal sealed class Mapping : Value
{
    private readonly Dictionary<string, Value> _values;

    public Mapping(IEnumerable<KeyValuePair<Text, Value>> entries)
    {
        var order = new OrderedDictionary<string, KeyValuePair<Text, Value>>(StringComparer.Ordinal);
        foreach (var entry in entries) order[entry.Key.Characters] = entry;
        Entries = [.. order.Values];
        _values = Entries.ToDictionary(e => e.Key.Characters, e => e.Value, StringComparer.Ordinal);
        Depth = Nesting.Above(_values.Values);
    }

    public IReadOnlyList<KeyValuePair<Text, Value>> Entries { get; }

    public override string TypeName => "dict";

    public override bool IsTrue => Entries.Count > 0;

    public override int Depth { get; }

    public bool Has(string key) => _values.ContainsKey(key);

    public override Value Attribute(string name) =>
        MappingMethods.Find(this, name) ?? _values.GetValueOrDefault(name) ?? base.Attribute(name);

    public override Value Item(Value key) =>
        key is not Text { Characters: var name } ? base.Item(key) : _values.GetValueOrDefault(name) ?? base.Attribute(name);
}
