using System.Text.Encodings.Web;
using System.Text.Json;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>How values are written towards a language model: as in the row files, in kebab-case.</summary>
internal static class Names
{
    /// <summary>Text stays readable in every script: escapes cost tokens and would be copied into evidence.</summary>
    public static JsonSerializerOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
