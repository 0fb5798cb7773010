namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Methods of <c>str</c>.</summary>
internal static class TextMethods
{
    /// <summary>Null where there is no such method.</summary>
    public static Function? Find(Text text, string name) => name switch
    {
        "strip" => new((a, b) => TextOperations.Strip(text, a.Bind("chars")[0], b)),
        "lstrip" => new((a, b) => TextOperations.Strip(text, a.Bind("chars")[0], b, right: false)),
        "rstrip" => new((a, b) => TextOperations.Strip(text, a.Bind("chars")[0], b, left: false)),
        "split" => new((a, b) => a.Bind("sep", "maxsplit") is var p ? TextOperations.Split(text, p[0], p[1], b) : text),
        "splitlines" => new((a, b) => new Sequence(NoArguments(a, TextOperations.Lines(text, b)))),
        "startswith" => new((a, b) => StartsOrEnds(text, a, b, isStart: true)),
        "endswith" => new((a, b) => StartsOrEnds(text, a, b, isStart: false)),
        "upper" => new((a, b) => NoArguments(a, TextOperations.Upper(text, b))),
        "lower" => new((a, b) => NoArguments(a, TextOperations.Lower(text, b))),
        "capitalize" => new((a, b) => NoArguments(a, TextOperations.Capitalize(text, b))),
        "title" => new((a, b) => NoArguments(a, TextOperations.Title(text, b, c => !char.IsLetter(c)))),
        "replace" => new((a, b) => Replace(text, a, b)),
        "find" => new((a, b) => Find(text, a, b, (whole, part) => whole.IndexOf(part, StringComparison.Ordinal))),
        "rfind" => new((a, b) => Find(text, a, b, (whole, part) => whole.LastIndexOf(part, StringComparison.Ordinal))),
        "join" => new((a, b) => TextOperations.Join(Slices.Items(Arguments.Required(a.Bind("iterable")[0], "iterable"), b), text, b)),
        "isdigit" => new((a, _) => NoArguments(a, Value.Of(text.Length > 0 && text.Characters.All(char.IsDigit)))),
        _ => null,
    };

    private static T NoArguments<T>(Arguments arguments, T result)
    {
        arguments.Bind();
        return result;
    }

    private static Value StartsOrEnds(Text text, Arguments arguments, Budget budget, bool isStart)
    {
        var given = Arguments.Required(arguments.Bind("prefix")[0], "prefix");
        var parts = given is Sequence { IsTuple: true, Items: var several } ? several : [given];
        return Value.Of(parts.Any(p =>
        {
            var part = TextOperations.Of(p, "what a text starts or ends with");
            budget.Spend(1 + part.Length);
            return isStart
                ? text.Characters.StartsWith(part.Characters, StringComparison.Ordinal)
                : text.Characters.EndsWith(part.Characters, StringComparison.Ordinal);
        }));
    }

    private static Text Replace(Text text, Arguments arguments, Budget budget)
    {
        var given = arguments.Bind("old", "new", "count");
        return TextOperations.Replace(
            text, TextOperations.Of(Arguments.Required(given[0], "old"), "what is replaced"),
            TextOperations.Of(Arguments.Required(given[1], "new"), "the replacement"), given[2], budget);
    }

    /// <summary>The position in code points, or -1.</summary>
    private static Value Find(Text text, Arguments arguments, Budget budget, Func<string, string, int> find)
    {
        var part = TextOperations.Of(Arguments.Required(arguments.Bind("sub")[0], "sub"), "what is looked for");
        budget.SpendSearch(text, part);
        var at = find(text.Characters, part.Characters);
        return Value.Of(at < 0 ? -1 : Slices.Length(text.Slice(0, at), budget));
    }
}
