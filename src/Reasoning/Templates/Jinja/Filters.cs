using System.Collections.Frozen;
using System.Globalization;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>What can follow <c>|</c>.</summary>
internal static class Filters
{
    private static readonly FrozenDictionary<string, BuiltIn> All = new Dictionary<string, BuiltIn>(StringComparer.Ordinal)
    {
        ["trim"] = (v, a, b) => TextOperations.Strip(Python.Str(v, b), a.Bind("chars")[0], b),
        ["lower"] = OfText(TextOperations.Lower),
        ["upper"] = OfText(TextOperations.Upper),
        ["capitalize"] = OfText(TextOperations.Capitalize),
        ["title"] = OfText((t, b) => TextOperations.Title(t, b, c => Python.IsWhiteSpace(c) || c is '-' or '(' or '{' or '[' or '<')),
        ["string"] = OfText((t, _) => t),
        ["safe"] = OfText((t, _) => t),
        ["length"] = (v, a, b) => Value.Of(Slices.Length(Alone(v, a), b)),
        ["count"] = (v, a, b) => Value.Of(Slices.Length(Alone(v, a), b)),
        ["first"] = (v, a, b) => AtEnd(Alone(v, a), 0, b),
        ["last"] = (v, a, b) => AtEnd(Alone(v, a), -1, b),
        ["list"] = (v, a, b) => new Sequence(Slices.Items(Alone(v, a), b)),
        ["items"] = (v, a, b) => Alone(v, a) switch
        {
            Mapping mapping => MappingMethods.Pairs(mapping.Entries, b),
            Undefined => new Sequence([]),
            _ => throw new TemplateException($"{v.TypeName} has no items"),
        },
        ["join"] = Join,
        ["default"] = Default,
        ["d"] = Default,
        ["replace"] = Replace,
        ["indent"] = Indent,
        ["tojson"] = ToJson,
        ["int"] = (v, a, _) => ToInteger(v, a.Bind("default")[0]),
        ["float"] = (v, a, _) => ToReal(v, a.Bind("default")[0]),
        ["abs"] = (v, a, _) => Operators.Order(Alone(v, a), Value.Of(0)) < 0 ? Operators.Negate(v) : v,
        ["reverse"] = (v, a, b) => Slices.Slice(v is Text ? v : new Sequence(Slices.Items(Alone(v, a), b)), null, null, Value.Of(-1), b),
        ["sort"] = Sorting.Sort,
        ["dictsort"] = Sorting.SortMapping,
        ["unique"] = Sorting.Unique,
        ["map"] = Choosing.Map,
        ["select"] = (v, a, b) => Choosing.Select(v, a, b, takesAttribute: false, keeps: true),
        ["reject"] = (v, a, b) => Choosing.Select(v, a, b, takesAttribute: false, keeps: false),
        ["selectattr"] = (v, a, b) => Choosing.Select(v, a, b, takesAttribute: true, keeps: true),
        ["rejectattr"] = (v, a, b) => Choosing.Select(v, a, b, takesAttribute: true, keeps: false),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static BuiltIn? Find(string name) => All.GetValueOrDefault(name);

    private static BuiltIn OfText(Func<Text, Budget, Text> make) =>
        (value, arguments, budget) => make(Python.Str(Alone(value, arguments), budget), budget);

    private static Value Alone(Value value, Arguments arguments)
    {
        arguments.Bind();
        return value;
    }

    private static Value AtEnd(Value value, int index, Budget budget) =>
        Slices.Item(value is Text or Sequence ? value : new Sequence(Slices.Items(value, budget)), Value.Of(index), budget);

    private static Text Join(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("d", "attribute");
        var items = Slices.Items(value, budget);
        if (given[1] is { } attribute) items = [.. items.Select(i => Choosing.ByPath(i, attribute, budget))];
        return TextOperations.Join(items, given[0] is { } separator ? Python.Str(separator, budget) : Text.Empty, budget);
    }

    private static Value Default(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("default_value", "boolean");
        var isMissing = value is Undefined || given[1] is { IsTrue: true } && !value.IsTrue;
        return isMissing ? given[0] ?? Text.Empty : value;
    }

    private static Text Replace(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("old", "new", "count");
        return TextOperations.Replace(
            Python.Str(value, budget), Python.Str(Arguments.Required(given[0], "old"), budget),
            Python.Str(Arguments.Required(given[1], "new"), budget), given[2], budget);
    }

    private static Text Indent(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("width", "first", "blank");
        var text = Python.Str(value, budget);
        var margin = given[0] is Text own ? own : Spaces(given[0], 4, budget);
        var (indentsFirst, indentsBlank) = (given[1] is { IsTrue: true }, given[2] is { IsTrue: true });
        var lines = TextOperations.Lines(text, budget);
        var builder = new TextBuilder(budget);
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0) builder.Append("\n");
            if (i == 0 ? indentsFirst : indentsBlank || lines[i].IsTrue) builder.Append(margin);
            builder.Append(lines[i]);
        }

        if (text.Characters.EndsWith('\n')) builder.Append(indentsBlank ? "\n" + margin : "\n");
        return builder.ToText();
    }

    private static Text ToJson(Value value, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("ensure_ascii", "indent", "separators", "sort_keys");
        var indent = given[1] switch { null or None => null, Text own => own.Characters, var width => Spaces(width, 0, budget).Characters };
        var (item, key) = given[2] switch
        {
            null or None => (indent is null ? ", " : ",", ": "),
            Sequence { Items: [Text i, Text k] } => (i.Characters, k.Characters),
            _ => throw new TemplateException("the separators must be two texts"),
        };
        var builder = new TextBuilder(budget);
        new Json(builder, budget, new Json.Style(item, key, indent, given[3] is { IsTrue: true }, given[0] is { IsTrue: true })).Write(value);
        return builder.ToText();
    }

    private static Text Spaces(Value? width, long otherwise, Budget budget)
    {
        var count = width is null ? otherwise : Operators.AsInteger(width) ?? throw new TemplateException("the width must be an integer or text");
        return (Text)Operators.Apply("*", Text.OfTemplate(" "), Value.Of(count), budget);
    }

    private static Value ToInteger(Value value, Value? otherwise) => value switch
    {
        Real { Number: var real } when Math.Abs(real) < long.MaxValue => Value.Of((long)real),
        Text text when long.TryParse(text.Characters, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) => Value.Of(number),
        Text text when ToReal(text, None.Value) is Real real => ToInteger(real, otherwise),
        _ when Operators.AsInteger(value) is { } number => Value.Of(number),
        _ => otherwise ?? Value.Of(0),
    };

    private static Value ToReal(Value value, Value? otherwise) => value switch
    {
        Text text when double.TryParse(text.Characters, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => new Real(number),
        _ when Operators.AsReal(value) is { } number => new Real(number),
        _ => otherwise ?? new Real(0),
    };
}
