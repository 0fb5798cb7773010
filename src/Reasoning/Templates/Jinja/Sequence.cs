namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A list, or a tuple.</summary>
internal sealed class Sequence(IReadOnlyList<Value> items, bool isTuple = false) : Value
{
    public IReadOnlyList<Value> Items => items;

    public bool IsTuple => isTuple;

    public override string TypeName => isTuple ? "tuple" : "list";

    public override bool IsTrue => items.Count > 0;

    public override int Depth { get; } = Nesting.Above(items);

    public override Value Item(Value key)
    {
        if (key is not Integer { Number: var index }) return base.Item(key);
        if (index < 0) index += items.Count;
        return index >= 0 && index < items.Count ? items[(int)index] : base.Item(key);
    }
}
