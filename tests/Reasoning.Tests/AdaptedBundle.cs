using System.Security.Cryptography;
using System.Text.Json;
using SaferGuard.Reasoning.Bundles;

namespace SaferGuard.Reasoning.Tests;

/// <summary>Copies of a model bundle with other small files, valid again under a new manifest.</summary>
internal static class AdaptedBundle
{
    /// <param name="files">New contents by file name.</param>
    /// <param name="readsRuleText">Says so of the model, which then judges by texts that mean nothing to it: enough to see what it is asked.</param>
    public static void Write(string bundle, string folder, IReadOnlyDictionary<string, byte[]> files, bool readsRuleText = false)
    {
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(bundle)) File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
        foreach (var (name, bytes) in files) File.WriteAllBytes(Path.Combine(folder, name), bytes);

        var manifest = JsonSerializer.Deserialize<BundleManifest>(
            File.ReadAllBytes(Path.Combine(folder, BundleManifest.FileName)), ModelBundle.ManifestJson)!;
        var described = new SortedDictionary<string, BundleFile>(manifest.Files.ToDictionary(), StringComparer.Ordinal);
        foreach (var (name, bytes) in files) described[name] = new BundleFile(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);
        File.WriteAllBytes(
            Path.Combine(folder, BundleManifest.FileName),
            JsonSerializer.SerializeToUtf8Bytes(manifest with { Files = described, ReadsRuleText = readsRuleText || manifest.ReadsRuleText }, ModelBundle.ManifestJson));
    }
}
