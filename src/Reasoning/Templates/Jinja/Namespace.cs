namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>What <c>namespace()</c> makes: the only thing that a template can change.</summary>
internal sealed class Namespace(IEnumerable<KeyValuePair<string, Value>> values) : Value
{
    private readonly Dictionary<string, Value> _values = new(values, StringComparer.Ordinal);

    public override string TypeName => "namespace";

    public override Value Attribute(string name) => _values.GetValueOrDefault(name) ?? base.Attribute(name);

    public override Value Item(Value key) => key is Text name ? Attribute(name.Characters) : base.Item(key);

    public void Set(string name, Value value) => _values[name] = value;
}
