using System.Collections.Frozen;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>What can follow <c>is</c>.</summary>
internal static class Tests
{
    private static readonly FrozenDictionary<string, BuiltIn> All = new Dictionary<string, BuiltIn>(StringComparer.Ordinal)
    {
        ["defined"] = Is(v => v is not Undefined),
        ["undefined"] = Is(v => v is Undefined),
        ["none"] = Is(v => v is None),
        ["string"] = Is(v => v is Text),
        ["mapping"] = Is(v => v is Mapping),
        ["sequence"] = Is(v => v is Sequence or Text or Mapping or Undefined),
        ["iterable"] = Is(v => v is Sequence or Text or Mapping or Undefined),
        ["number"] = Is(v => v is Integer or Real or Boolean),
        ["integer"] = Is(v => v is Integer),
        ["float"] = Is(v => v is Real),
        ["boolean"] = Is(v => v is Boolean),
        ["true"] = Is(v => v is Boolean { IsTrue: true }),
        ["false"] = Is(v => v is Boolean { IsTrue: false }),
        ["callable"] = Is(v => v is Function),
        ["lower"] = Is(v => v is Text t && t.Characters.Any(char.IsLower) && !t.Characters.Any(char.IsUpper)),
        ["upper"] = Is(v => v is Text t && t.Characters.Any(char.IsUpper) && !t.Characters.Any(char.IsLower)),
        ["odd"] = Is(v => Operators.AsInteger(v) % 2 is 1 or -1),
        ["even"] = Is(v => Operators.AsInteger(v) % 2 is 0),
        ["divisibleby"] = (v, a, b) => Value.Of(!Operators.Apply("%", v, Only(a), b).IsTrue),
        ["equalto"] = Compares("=="),
        ["eq"] = Compares("=="),
        ["ne"] = Compares("!="),
        ["lt"] = Compares("<"),
        ["lessthan"] = Compares("<"),
        ["le"] = Compares("<="),
        ["gt"] = Compares(">"),
        ["greaterthan"] = Compares(">"),
        ["ge"] = Compares(">="),
        ["in"] = Compares("in"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static BuiltIn? Find(string name) => All.GetValueOrDefault(name);

    private static BuiltIn Is(Func<Value, bool> test) => (value, arguments, budget) =>
    {
        arguments.Bind();
        if (value is Text text) budget.Spend(text.Length / 8);
        return Value.Of(test(value));
    };

    private static BuiltIn Compares(string symbol) => (value, arguments, budget) =>
        Value.Of(Operators.Compare(symbol, value, Only(arguments), budget));

    private static Value Only(Arguments arguments) => Arguments.Required(arguments.Bind("other")[0], "other");
}
