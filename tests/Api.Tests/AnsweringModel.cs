using System.Text.Json.Nodes;
using SaferGuard.Api.Configuration;
using SaferGuard.Reasoning.Bundles;

namespace SaferGuard.Api.Tests;

/// <summary>The bundled model only judges. Here its manifest claims that it answers too: what it writes is noise, but it goes the way of an answer.</summary>
internal static class AnsweringModel
{
    private static readonly Lazy<string> s_folder = new(Make);

    public static string Folder => s_folder.Value;

    private static string Make()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        foreach (var file in Directory.EnumerateFiles(new ModelOptions().Folder(AppContext.BaseDirectory)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var path = Path.Combine(folder, BundleManifest.FileName);
        var manifest = JsonNode.Parse(File.ReadAllText(path))!;
        manifest["can_answer"] = true;
        File.WriteAllText(path, manifest.ToJsonString());
        return folder;
    }
}
