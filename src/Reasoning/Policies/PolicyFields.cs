using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace SaferGuard.Reasoning.Policies;

/// <summary>The fields of one mapping of a policy file: reads them strictly and reports each fault with its path.</summary>
internal sealed partial class PolicyFields
{
    private readonly YamlMappingNode _node;
    private readonly string _path;
    private readonly PolicyErrors _errors;

    private PolicyFields(YamlMappingNode node, string path, PolicyErrors errors) => (_node, _path, _errors) = (node, path, errors);

    /// <summary>Null, with an error, when the node is not a mapping. Fields that are not <paramref name="known"/> are errors.</summary>
    public static PolicyFields? Of(YamlNode node, string path, PolicyErrors errors, params ReadOnlySpan<string> known)
    {
        if (node is not YamlMappingNode mapping)
        {
            return errors.Add<PolicyFields>(path, "is not a mapping", $"give it the fields {string.Join(", ", known!)}");
        }

        foreach (var key in mapping.Children.Keys)
        {
            var name = key is YamlScalarNode scalar ? scalar.Value ?? "" : "?";
            if (!known.Contains(name)) errors.Add(At(path, Shown(name)), "is unknown", $"use only {string.Join(", ", known!)}");
        }

        return new PolicyFields(mapping, path, errors);
    }

    public bool Has(string field) => _node.Children.ContainsKey(new YamlScalarNode(field));

    /// <summary>An id: letters, digits, dots, hyphens and underscores, starting with a letter or digit.</summary>
    public string? Name(string field, int maxLength)
    {
        var text = Text(field, maxLength);
        return text is null || NamePattern().IsMatch(text)
            ? text
            : _errors.Add<string>(At(field), $"'{Shown(text)}' is not an id", "use letters, digits, '.', '-' and '_'");
    }

    public string? Text(string field, int maxLength)
    {
        if (!_node.Children.TryGetValue(new YamlScalarNode(field), out var node)) return Missing<string>(field);
        if (node is not YamlScalarNode { Value: var text } || string.IsNullOrWhiteSpace(text))
        {
            return _errors.Add<string>(At(field), "is not a text", "write a non-empty text");
        }

        if (text.Length > maxLength) return _errors.Add<string>(At(field), $"has {text.Length} characters", $"keep it within {maxLength}");
        if (!IsOneLine(text)) return _errors.Add<string>(At(field), "has a control character", "write one plain line");
        return text.Contains("<|", StringComparison.Ordinal)
            ? _errors.Add<string>(At(field), "has '<|', which starts special tokens", "remove it")
            : text;
    }

    /// <summary>Text of several lines that may hold anything a user could write: it is judged, not read as a rule.</summary>
    public string? FreeText(string field, int maxLength)
    {
        if (!_node.Children.TryGetValue(new YamlScalarNode(field), out var node)) return Missing<string>(field);
        if (node is not YamlScalarNode { Value: { } text } || string.IsNullOrWhiteSpace(text))
        {
            return _errors.Add<string>(At(field), "is not a text", "write a non-empty text");
        }

        if (text.Length > maxLength) return _errors.Add<string>(At(field), $"has {text.Length} characters", $"keep it within {maxLength}");
        return text.Contains('\0', StringComparison.Ordinal) || text.EnumerateRunes().Any(r => r == Rune.ReplacementChar)
            ? _errors.Add<string>(At(field), "has a character that no text has", "write valid Unicode without NUL")
            : text;
    }

    /// <summary>One of the values of an enumeration, in lower case; <paramref name="otherwise"/> where the field is absent.</summary>
    public T Choice<T>(string field, T otherwise)
        where T : struct, Enum => Has(field) ? Choice<T>(field) ?? otherwise : otherwise;

    public T? Choice<T>(string field)
        where T : struct, Enum
    {
        if (Text(field, maxLength: 64) is not { } text) return null;
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == text) return value;
        }

        var names = Enum.GetValues<T>().Select(NameOf).ToArray();
        return _errors.Add<T?>(At(field), $"is '{Shown(text)}'", $"write {string.Join(", ", names[..^1])} or {names[^1]}");
    }

    /// <summary>A number above 0 and below 1; null where the field is absent.</summary>
    public double? Probability(string field)
    {
        if (!Has(field) || Text(field, maxLength: 64) is not { } text) return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1
            ? number
            : _errors.Add<double?>(At(field), $"is '{Shown(text)}'", "write a number above 0 and below 1, such as 0.5");
    }

    /// <summary>A list of 1 to <paramref name="max"/> items, each read by <paramref name="read"/>; null when any item is faulty.</summary>
    public IReadOnlyList<T>? List<T>(string field, int max, Func<YamlNode, string, T?> read)
        where T : class
    {
        if (!_node.Children.TryGetValue(new YamlScalarNode(field), out var node)) return Missing<IReadOnlyList<T>>(field);
        if (node is not YamlSequenceNode { Children: { Count: > 0 } children })
        {
            return _errors.Add<IReadOnlyList<T>>(At(field), "is not a list", "write at least one item");
        }

        if (children.Count > max) _errors.Add(At(field), $"has {children.Count} items", $"keep it within {max}");
        var items = children.Take(max).Select((child, i) => read(child, $"{At(field)}[{i}]")).OfType<T>().ToList();
        return items.Count == children.Count ? items : null;
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private T? Missing<T>(string field) => _errors.Add<T>(At(field), "is missing", "add it");

    /// <summary>Paths start at the root's fields: <c>categories[3].rules[1].effect</c>.</summary>
    private static string At(string path, string field) => path == "policy" ? field : $"{path}.{field}";

    private string At(string field) => At(_path, field);

    private static bool IsOneLine(string text) => text.EnumerateRunes().All(r => r != Rune.ReplacementChar && Rune.GetUnicodeCategory(r)
        is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    private static string Shown(string text)
    {
        var line = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return line.Length <= 40 ? line : $"{line.AsSpan(0, 40)}…";
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex NamePattern();
}
