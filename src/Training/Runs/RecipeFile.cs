using System.Text.Json;
using System.Text.Json.Serialization;

namespace SaferGuard.Training.Runs;

/// <summary>Recipes: JSON files, comments allowed, with the fields that differ from the defaults.</summary>
internal static class RecipeFile
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
    };

    /// <exception cref="InvalidDataException">The file is not a recipe; the message lists what is wrong.</exception>
    public static T Read<T>(string path, Func<T, IEnumerable<string>> errorsOf)
    {
        try
        {
            var recipe = JsonSerializer.Deserialize<T>(File.ReadAllText(path), Json) ?? throw new InvalidDataException($"{path}: the recipe is null.");
            var errors = errorsOf(recipe).ToList();
            return errors.Count == 0 ? recipe : throw new InvalidDataException($"{path}: {string.Join("; ", errors)}");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    public static string Write<T>(T recipe) => JsonSerializer.Serialize(recipe, Json);
}
