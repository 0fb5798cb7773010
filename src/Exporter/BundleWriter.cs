using System.Security.Cryptography;
using System.Text.Json;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Exporter;

/// <summary>What a bundle says of its model that the checkpoint's files do not.</summary>
/// <param name="MaxPositions">The longest sequence; null for the default of <see cref="TransformerExporter.Export"/>.</param>
internal sealed record BundleTraits(string Id, bool CanAnswer = false, bool ReadsRuleText = false, int? MaxPositions = null);

/// <summary>Writes bundles: a graph, the files of the checkpoint that serving needs, and a manifest that fixes them all.</summary>
internal static class BundleWriter
{
    private const string ModelCardFile = "README.md";

    /// <summary>The checkpoint's tokeniser. A model that cannot judge, because its tokeniser has no tokens for traces, must be able to answer.</summary>
    /// <exception cref="InvalidDataException">The tokeniser is missing, wrong or has no such tokens.</exception>
    public static GuardTokenizer TokenizerOf(Checkpoint checkpoint, BundleTraits traits)
    {
        var path = Path.Combine(checkpoint.Folder, Checkpoint.TokenizerFile);
        if (!File.Exists(path)) throw new InvalidDataException($"The checkpoint has no {Checkpoint.TokenizerFile}.");
        var tokenizer = GuardTokenizer.Load(path);
        if (tokenizer.MissingTraceTokens is not { Count: > 0 } missing || traits.CanAnswer) return tokenizer;
        throw new InvalidDataException(
            $"{Checkpoint.TokenizerFile} lacks {missing.Count} tokens of the trace format ({missing[0]} is the first), so that the model cannot judge: " +
            "train it first, or export it with --can-answer as one that only answers.");
    }

    /// <summary>Writes a bundle into a new folder and loads it again.</summary>
    /// <exception cref="InvalidDataException">A file of the checkpoint is missing or wrong.</exception>
    public static ModelBundle Write(Checkpoint checkpoint, WeightFormat format, BundleTraits traits, string folder, TimeProvider time)
    {
        Directory.CreateDirectory(folder);
        var maxPositions = TransformerExporter.Export(checkpoint, format, folder, traits.MaxPositions);
        TryCopy(Checkpoint.ConfigFile, BundleManifest.ConfigFile);
        TryCopy(Checkpoint.TokenizerFile, BundleManifest.TokenizerFile);
        TryCopy(BundleManifest.LexicalFile, BundleManifest.LexicalFile);
        if (traits.CanAnswer) ChatTemplate.Load(checkpoint.Folder)?.Write(folder);
        if (!TryCopy(BundleManifest.PolicyFile, BundleManifest.PolicyFile)) WriteFile(BundleManifest.PolicyFile, PolicyReader.DefaultBytes());
        if (!TryCopy(BundleManifest.CalibrationFile, BundleManifest.CalibrationFile))
            WriteFile(BundleManifest.CalibrationFile, Calibration.Neutral.ToJson());

        var manifest = new BundleManifest(
            BundleManifest.CurrentFormat,
            traits.Id,
            time.GetUtcNow(),
            format.ToString().ToLowerInvariant(),
            traits.CanAnswer,
            traits.ReadsRuleText,
            maxPositions,
            Describe(folder),
            format.Device());
        WriteFile(BundleManifest.FileName, JsonSerializer.SerializeToUtf8Bytes(manifest, ModelBundle.ManifestJson));

        // The card is not in the manifest: a corrected word in it does not make another model.
        TryCopy(ModelCardFile, ModelCardFile);
        return Load(folder);

        bool TryCopy(string source, string target)
        {
            var path = Path.Combine(checkpoint.Folder, source);
            if (!File.Exists(path)) return false;
            File.Copy(path, Path.Combine(folder, target));
            return true;
        }

        void WriteFile(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(folder, name), bytes);
    }

    /// <summary>Loads what was written as the service will, so that a bundle that it would refuse is never handed out.</summary>
    private static ModelBundle Load(string folder)
    {
        var bundle = ModelBundle.Load(folder);
        if (bundle.Manifest.CanAnswer && bundle.Tokenizer.MissingTraceTokens.Count > 0) return bundle; // It only answers.
        try
        {
            _ = new TraceTokens(bundle.Tokenizer, bundle.Policy, bundle.Manifest.ReadsRuleText);
            return bundle;
        }
        catch (KeyNotFoundException e)
        {
            throw new InvalidDataException($"{BundleManifest.TokenizerFile}: {e.Message}", e);
        }
    }

    private static SortedDictionary<string, BundleFile> Describe(string folder)
    {
        var files = new SortedDictionary<string, BundleFile>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            using var stream = File.OpenRead(path);
            files.Add(Path.GetFileName(path), new BundleFile(Convert.ToHexStringLower(SHA256.HashData(stream)), stream.Length));
        }

        return files;
    }
}
