using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Configuration;

/// <summary>Which model judges. Section <c>Model</c>.</summary>
internal sealed class ModelOptions
{
    private const string Bundled = "models/safer-nano";

    /// <summary>Folder of the model bundle. When it is not set, the bundled model is looked for around the program.</summary>
    [MinLength(1)]
    public string? Path { get; set; }

    /// <summary>The configured folder, or the first <c>models/safer-nano</c> in <paramref name="contentRoot"/>, the program's folder, or above one of them.</summary>
    public string Folder(string contentRoot)
    {
        if (Path is not null) return System.IO.Path.GetFullPath(Path, contentRoot);
        return Around(contentRoot).Concat(Around(AppContext.BaseDirectory))
            .Select(folder => System.IO.Path.Combine(folder, Bundled))
            .FirstOrDefault(Directory.Exists)
            ?? System.IO.Path.Combine(contentRoot, Bundled);
    }

    private static IEnumerable<string> Around(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return at.FullName;
    }
}
