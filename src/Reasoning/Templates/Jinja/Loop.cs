namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>What <c>loop</c> is in one turn of a loop.</summary>
internal sealed class Loop(IReadOnlyList<Value> items, int index) : Value
{
    public override string TypeName => "loop";

    public override Value Attribute(string name) => name switch
    {
        "index" => Of(index + 1L),
        "index0" => Of((long)index),
        "revindex" => Of((long)(items.Count - index)),
        "revindex0" => Of(items.Count - index - 1L),
        "first" => Of(index == 0),
        "last" => Of(index == items.Count - 1),
        "length" => Of((long)items.Count),
        "previtem" => index > 0 ? items[index - 1] : new Undefined("there is no previous item"),
        "nextitem" => index < items.Count - 1 ? items[index + 1] : new Undefined("there is no next item"),
        _ => base.Attribute(name),
    };

    public override Value Item(Value key) => key is Text name ? Attribute(name.Characters) : base.Item(key);
}
