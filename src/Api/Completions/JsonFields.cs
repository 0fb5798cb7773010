using System.Text.Json;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Completions;

/// <summary>The fields of one JSON object, read strictly: what is wrong is added to a list of errors and reads as absent.</summary>
internal sealed class JsonFields
{
    /// <summary>Names that a client invented are quoted up to this length.</summary>
    private const int MaxQuotedLength = 64;

    private readonly Dictionary<string, JsonElement> _values = [];
    private readonly string _path;
    private readonly FieldErrors _errors;

    /// <param name="path">Where the object is: empty for the body itself.</param>
    /// <param name="known">The fields that it may have. Null as a value is not taken for an absent field.</param>
    public JsonFields(JsonElement json, string path, FieldErrors errors, params ReadOnlySpan<string> known)
    {
        _path = path;
        _errors = errors;
        IsObject = json.ValueKind == JsonValueKind.Object;
        if (!IsObject)
        {
            errors.Add(path.Length == 0 ? "body" : path, $"must be an object, not {Name(json.ValueKind)}");
            return;
        }

        foreach (var property in json.EnumerateObject())
        {
            if (NameOf(property) is not { } name) errors.Add(path.Length == 0 ? "body" : path, "has a field whose name is not valid Unicode");
            else if (!known.Contains(name)) errors.Add(Field(Quoted(name)), $"is not a field of this object; its fields are {string.Join(", ", known)}");
            else if (!_values.TryAdd(name, property.Value)) errors.Add(Field(name), "is given more than once");
        }
    }

    public bool IsObject { get; }

    /// <summary>Takes null for an absent field, as clients of some surfaces write it.</summary>
    public JsonFields WithoutNulls()
    {
        foreach (var (name, value) in _values)
        {
            if (value.ValueKind == JsonValueKind.Null) _values.Remove(name);
        }

        return this;
    }

    /// <summary>The field as it is, whatever that may be.</summary>
    public JsonElement? Raw(string name) => _values.TryGetValue(name, out var value) ? value : null;

    public bool Has(string name) => _values.ContainsKey(name);

    public string Field(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>Adds an error for each of these fields that the object does not have.</summary>
    public void Require(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (IsObject && !Has(name)) _errors.Add(Field(name), "is missing");
        }
    }

    /// <summary>Text that a tokeniser and a database can take: valid Unicode without NUL.</summary>
    public string? Text(string name) => Raw(name) is { } value ? Text(value, Field(name), _errors) : null;

    /// <summary>The same of a value that is no field.</summary>
    public static string? Text(JsonElement value, string path, FieldErrors errors)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            errors.Add(path, $"must be a string, not {Name(value.ValueKind)}");
            return null;
        }

        if (TryGetString(value) is not { } text)
        {
            errors.Add(path, "is not valid Unicode: it has broken UTF-8 or half of a surrogate pair");
            return null;
        }

        var nul = text.IndexOf('\0', StringComparison.Ordinal);
        if (nul < 0) return text;
        errors.Add(path, $"has a NUL character at position {nul}; remove it");
        return null;
    }

    public string? Text(string name, int maxLength)
    {
        var text = Text(name);
        if (text is null || text.Length <= maxLength) return text;
        _errors.Add(Field(name), $"must have at most {maxLength} characters, not {text.Length}");
        return null;
    }

    public T? Choice<T>(string name)
        where T : struct, Enum
    {
        if (Value(name, "a string", JsonValueKind.String) is not { } value) return null;
        var text = TryGetString(value);
        foreach (var choice in Enum.GetValues<T>())
        {
            if (WireName.Of(choice) == text) return choice;
        }

        _errors.Add(Field(name), $"must be one of {string.Join(", ", Enum.GetValues<T>().Select(WireName.Of))}");
        return null;
    }

    public int? Integer(string name, int min, int max)
    {
        if (Value(name, "a number", JsonValueKind.Number) is not { } value) return null;
        if (value.TryGetInt32(out var number) && number >= min && number <= max) return number;
        _errors.Add(Field(name), $"must be a whole number from {min} to {max}");
        return null;
    }

    public double? Number(string name, double min, double max)
    {
        if (Value(name, "a number", JsonValueKind.Number) is not { } value) return null;
        if (value.TryGetDouble(out var number) && number >= min && number <= max) return number;
        _errors.Add(Field(name), FormattableString.Invariant($"must be a number from {min} to {max}"));
        return null;
    }

    public bool? Boolean(string name) => Value(name, "true or false", JsonValueKind.True, JsonValueKind.False)?.GetBoolean();

    public JsonElement? Array(string name) => Value(name, "an array", JsonValueKind.Array);

    private JsonElement? Value(string name, string wanted, params ReadOnlySpan<JsonValueKind> kinds)
    {
        if (!_values.TryGetValue(name, out var value)) return null;
        if (kinds.Contains(value.ValueKind)) return value;
        _errors.Add(Field(name), $"must be {wanted}, not {Name(value.ValueKind)}");
        return null;
    }

    private static string? TryGetString(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Not Unicode: the JSON reader checks that only when a string is asked for.
            return null;
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string Quoted(string name) => name.Length <= MaxQuotedLength ? name : $"{name.AsSpan(0, MaxQuotedLength)}…";

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a Boolean",
    };
}

/// <summary>Collects errors, up to a number that keeps the response small whatever the request is.</summary>
internal sealed class FieldErrors
{
    private const int Max = 100;

    private readonly List<FieldError> _errors = [];

    public int Count => _errors.Count;

    public IReadOnlyList<FieldError> All => _errors;

    public void Add(string field, string message)
    {
        if (_errors.Count < Max) _errors.Add(new(field, message));
    }
}
