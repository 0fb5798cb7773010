using System.Text.Json;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>The fields of one JSON object of a language model's answer: reads them strictly and reports each fault with its path.</summary>
internal sealed class AnswerFields
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly List<string> _errors;

    private AnswerFields(JsonElement json, string path, List<string> errors) => (_object, _path, _errors) = (json, path, errors);

    /// <summary>Reads an answer, which may stand in a code fence. Null, with an error, when it is not one JSON object.</summary>
    public static AnswerFields? Parse(string answer, List<string> errors, params ReadOnlySpan<string> known)
    {
        try
        {
            return Of(JsonElement.Parse(Unfenced(answer), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 }), "", errors, known);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: half a surrogate pair.
            errors.Add($"the answer is not valid JSON: {e.Message}");
            return null;
        }
    }

    /// <summary>Null, with an error, when the value is not an object. Fields that are not <paramref name="known"/> are errors.</summary>
    public static AnswerFields? Of(JsonElement json, string path, List<string> errors, params ReadOnlySpan<string> known)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add($"{(path.Length == 0 ? "the answer" : path)} is not an object");
            return null;
        }

        foreach (var property in json.EnumerateObject())
        {
            if (!known.Contains(property.Name)) errors.Add($"{At(path, Shown(property.Name))} is unknown");
        }

        return new AnswerFields(json, path, errors);
    }

    /// <summary>A text without white space around it; empty, with an error, where there is none.</summary>
    public string Text(string field, int maxCharacters)
    {
        if (!TryGet(field, out var value)) return "";
        if (value.ValueKind != JsonValueKind.String) return Fault(field, "is not a text", "");
        var text = value.GetString()!.Trim();
        if (text.Length == 0) return Fault(field, "is empty", "");
        return text.Length <= maxCharacters ? text : Fault(field, $"has {text.Length} characters; at most {maxCharacters} are allowed", "");
    }

    /// <summary>A sentence: a text of one line.</summary>
    public string Sentence(string field, int maxCharacters)
    {
        var text = Text(field, maxCharacters);
        return text.AsSpan().ContainsAny('\n', '\r') ? Fault(field, "has more than one line", "") : text;
    }

    public T? OneOf<T>(string field)
        where T : struct, Enum
    {
        if (!TryGet(field, out var value)) return null;
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        foreach (var name in Enum.GetValues<T>())
        {
            if (Names.Of(name) == text) return name;
        }

        return Fault<T?>(field, $"is not one of {string.Join(", ", Enum.GetValues<T>().Select(Names.Of))}", null);
    }

    /// <summary>A whole number from 0 to <paramref name="max"/>.</summary>
    public int Number(string field, int max)
    {
        if (!TryGet(field, out var value)) return 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 && number <= max
            ? number
            : Fault(field, $"is not a whole number from 0 to {max}", 0);
    }

    /// <summary>A list of exactly <paramref name="count"/> items; null, with an error, where there is none.</summary>
    public IReadOnlyList<JsonElement>? List(string field, int count)
    {
        if (!TryGet(field, out var value)) return null;
        if (value.ValueKind != JsonValueKind.Array) return Fault<IReadOnlyList<JsonElement>?>(field, "is not a list", null);
        return value.GetArrayLength() == count
            ? [.. value.EnumerateArray()]
            : Fault<IReadOnlyList<JsonElement>?>(field, $"has {value.GetArrayLength()} items instead of {count}", null);
    }

    /// <summary>The field is there and says something.</summary>
    public bool Has(string field) => _object.TryGetProperty(field, out var value)
        && value.ValueKind != JsonValueKind.Null && !(value.ValueKind == JsonValueKind.String && value.ValueEquals(""));

    public T Fault<T>(string field, string fault, T value)
    {
        _errors.Add($"{At(_path, field)} {fault}");
        return value;
    }

    private bool TryGet(string field, out JsonElement value) => _object.TryGetProperty(field, out value) || Fault(field, "is missing", false);

    private static string At(string path, string field) => path.Length == 0 ? field : $"{path}.{field}";

    private static string Shown(string name) => name.Length <= 40 ? name : $"{name.AsSpan(0, 40)}…";

    private static string Unfenced(string answer)
    {
        var text = answer.Trim();
        var start = text.IndexOf('\n');
        return start > 0 && text.StartsWith("```", StringComparison.Ordinal) && text.EndsWith("```", StringComparison.Ordinal) && start < text.Length - 3
            ? text[(start + 1)..^3]
            : text;
    }
}
