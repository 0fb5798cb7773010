namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Names and their values: a loop's body, a macro and a captured block have their own, an <c>if</c> has not.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);

    public Value this[string name]
    {
        set => _values[name] = value;
    }

    public Value Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._values.TryGetValue(name, out var value)) return value;
        }

        return new Undefined($"'{name}' is undefined");
    }

    private Scope? Outer => outer;
}
