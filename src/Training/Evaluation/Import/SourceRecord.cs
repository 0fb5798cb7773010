using System.Text.Json;

namespace SaferGuard.Training.Evaluation.Import;

/// <summary>A record of a published set: texts by column name, whose case does not matter. Nested JSON stays JSON text.</summary>
/// <param name="Number">Its line, or its place in a JSON array, from 1.</param>
internal sealed record SourceRecord(int Number, IReadOnlyDictionary<string, string?> Fields)
{
    /// <exception cref="FormatException">A name is given twice.</exception>
    public static SourceRecord Of(int number, IEnumerable<(string Name, string? Value)> fields)
    {
        var byName = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in fields)
        {
            if (!byName.TryAdd(name.Trim(), value)) throw new FormatException($"the column '{name}' is there twice.");
        }

        return new SourceRecord(number, byName);
    }

    /// <exception cref="FormatException">It is not an object.</exception>
    public static SourceRecord Of(int number, JsonElement json) => json.ValueKind == JsonValueKind.Object
        ? Of(number, json.EnumerateObject().Select(p => (p.Name, TextOf(p.Value))))
        : throw new FormatException($"must be an object, not {json.ValueKind}.");

    /// <summary>The text of the first of these columns that is there and not empty.</summary>
    /// <exception cref="FormatException">None is.</exception>
    public string Text(params ReadOnlySpan<string> names) => Optional(names) ?? throw Missing(names);

    /// <summary>Null where none of the columns is there, or all are empty.</summary>
    public string? Optional(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Fields.TryGetValue(name, out var value) && !string.IsNullOrWhiteSpace(value)) return value;
        }

        return null;
    }

    /// <summary>Whether a column that must be there says true, 1 or yes.</summary>
    /// <exception cref="FormatException">It is not there, or says something else than yes or no.</exception>
    public bool Flag(string name) => Text(name).Trim().ToLowerInvariant() switch
    {
        "true" or "1" or "1.0" or "yes" => true,
        "false" or "0" or "0.0" or "no" => false,
        var other => throw new FormatException($"'{name}' is '{other}', not true or false."),
    };

    /// <summary>The names that are true in a nested object, <c>{"name": true}</c>, written as JSON or as Python does; none if it is not one.</summary>
    public IReadOnlyList<string> TrueNames(string name) =>
        Nested(name) is { ValueKind: JsonValueKind.Object } json ? [.. json.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.True).Select(p => p.Name)] : [];

    /// <summary>The first text of a nested list; the column's own text if it is none.</summary>
    public string First(string name) =>
        Nested(name) is { ValueKind: JsonValueKind.Array } json && json.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.String } first
            ? first.GetString()!
            : Text(name);

    private JsonElement? Nested(string name)
    {
        var text = Text(name);
        foreach (var json in (string[])[text, text.Replace('\'', '"').Replace("True", "true", StringComparison.Ordinal).Replace("False", "false", StringComparison.Ordinal)])
        {
            try
            {
                return JsonElement.Parse(json);
            }
            catch (JsonException)
            {
                // The other way of writing it, or no nested value at all.
            }
        }

        return null;
    }

    private FormatException Missing(ReadOnlySpan<string> names) =>
        new($"needs {string.Join(" or ", names.ToArray().Select(n => $"'{n}'"))}; it has the columns {string.Join(", ", Fields.Keys)}.");

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => value.GetRawText(),
    };
}
