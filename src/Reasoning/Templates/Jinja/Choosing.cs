using System.Globalization;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Filters that apply a filter, a test or an attribute to each item of a list.</summary>
internal static class Choosing
{
    public static Value Map(Value value, Arguments arguments, Budget budget)
    {
        var items = ItemsOrNone(value, budget);
        if (arguments.Positional.Count == 0)
        {
            var given = arguments.Bind("attribute", "default");
            var attribute = Arguments.Required(given[0], "attribute");
            return new Sequence([.. items.Select(i => ByPath(i, attribute, budget) is var found && found is Undefined ? given[1] ?? found : found)]);
        }

        var filter = FindByName(arguments.Positional[0], Filters.Find, "filter");
        var rest = Without(arguments, 1);
        return new Sequence([.. items.Select(i => filter(i, rest, budget))]);
    }

    /// <summary><c>select</c>, <c>reject</c> and their forms for an attribute; without a test, by truth.</summary>
    public static Value Select(Value value, Arguments arguments, Budget budget, bool takesAttribute, bool keeps)
    {
        var items = ItemsOrNone(value, budget);
        var skipped = takesAttribute ? 1 : 0;
        if (arguments.Positional.Count < skipped) throw new TemplateException("the attribute is missing");
        var test = arguments.Positional.Count > skipped ? FindByName(arguments.Positional[skipped], Tests.Find, "test") : null;
        var rest = Without(arguments, test is null ? skipped : skipped + 1);
        return new Sequence([.. items.Where(i =>
        {
            var subject = takesAttribute ? ByPath(i, arguments.Positional[0], budget) : i;
            return (test is null ? subject : test(subject, rest, budget)).IsTrue == keeps;
        })]);
    }

    /// <summary>An item's attribute by a name such as <c>function.name</c>, or by position.</summary>
    public static Value ByPath(Value item, Value path, Budget budget)
    {
        budget.Spend(1);
        if (path is not Text text) return Slices.Item(item, path, budget);
        foreach (var name in text.Characters.Split('.'))
        {
            budget.Spend(1 + name.Length);
            item = long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                ? Slices.Item(item, Value.Of(index), budget)
                : item.Item(Text.OfTemplate(name));
        }

        return item;
    }

    /// <summary>These filters take whatever is false, such as <c>none</c>, for an empty list.</summary>
    private static IReadOnlyList<Value> ItemsOrNone(Value value, Budget budget) => value.IsTrue ? Slices.Items(value, budget) : [];

    private static BuiltIn FindByName(Value name, Func<string, BuiltIn?> find, string kind) =>
        find(TextOperations.Of(name, $"the name of a {kind}").Characters) ?? throw new TemplateException($"there is no {kind} '{name}'");

    private static Arguments Without(Arguments arguments, int count) => arguments with { Positional = [.. arguments.Positional.Skip(count)] };
}
