namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A dictionary with texts or integers for keys, in the order of its entries.</summary>
internal sealed class Mapping : Value
{
    private readonly OrderedDictionary<object, KeyValuePair<Value, Value>> _entries = [];

    public Mapping(IEnumerable<KeyValuePair<Value, Value>> entries)
    {
        foreach (var (key, value) in entries)
        {
            var identity = Identity(key) ?? throw new TemplateException($"a key must be text or an integer, not {key.TypeName}");
            _entries[identity] = KeyValuePair.Create(key, value);
        }

        Depth = Nesting.Above(_entries.Values.Select(e => e.Value));
    }

    public IReadOnlyList<KeyValuePair<Value, Value>> Entries => _entries.Values;

    public override string TypeName => "dict";

    public override bool IsTrue => _entries.Count > 0;

    public override int Depth { get; }

    public bool Has(Value key) => Identity(key) is { } identity && _entries.ContainsKey(identity);

    public override Value Attribute(string name) => MappingMethods.Find(this, name) ?? Find(name) ?? base.Attribute(name);

    public override Value Item(Value key) =>
        Find(Identity(key)) ?? (key is Text name ? base.Attribute(name.Characters) : base.Item(key));

    private Value? Find(object? identity) => identity is not null && _entries.TryGetValue(identity, out var entry) ? entry.Value : null;

    private static object? Identity(Value key) => key is Text text ? text.Characters : Operators.AsInteger(key);
}
