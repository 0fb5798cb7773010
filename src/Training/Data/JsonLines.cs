using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SaferGuard.Training.Data;

/// <summary>JSON objects, one a line, in snake_case; enum values in kebab-case (<c>borderline-safe</c>) are read and written alike.</summary>
internal static class JsonLines
{
    private static readonly JsonSerializerOptions _options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Files, not web pages: text stays readable in every script.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <exception cref="InvalidDataException">A line does not hold a <typeparamref name="T"/>; the message names file and line.</exception>
    public static IEnumerable<T> Read<T>(Stream stream, string name)
    {
        using var reader = new StreamReader(stream);
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line)) yield return Parse<T>(line, name, number);
        }
    }

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, _options);

    /// <exception cref="JsonException">The line does not hold a <typeparamref name="T"/>.</exception>
    public static T Parse<T>(string line) => JsonSerializer.Deserialize<T>(line, _options) ?? throw new JsonException("The line is null.");

    /// <exception cref="InvalidDataException">The line does not hold a <typeparamref name="T"/>; the message names file and line.</exception>
    public static T Parse<T>(string line, string name, int number)
    {
        try
        {
            return Parse<T>(line);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name}, line {number}: {e.Message}", e);
        }
    }
}
