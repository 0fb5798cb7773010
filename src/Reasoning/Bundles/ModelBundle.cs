using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Lexical;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Bundles;

/// <summary>A verified model bundle: every file has the hash that the manifest states, and every part has been parsed.</summary>
public sealed record ModelBundle(
    string Folder, BundleManifest Manifest, ModelConfig Config, GuardTokenizer Tokenizer, Policy Policy, Calibration Calibration,
    LexicalPrior? Lexical, ChatTemplate? ChatTemplate)
{
    private static readonly string[] Required =
    [
        BundleManifest.GraphFile, BundleManifest.WeightsFile, BundleManifest.ConfigFile, BundleManifest.TokenizerFile,
        BundleManifest.PolicyFile, BundleManifest.CalibrationFile,
    ];

    public static JsonSerializerOptions ManifestJson { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public string GraphPath => Path.Combine(Folder, BundleManifest.GraphFile);

    /// <exception cref="InvalidDataException">A file is missing, has been changed, or cannot be read; the message names it.</exception>
    public static ModelBundle Load(string folder)
    {
        var manifest = ReadManifest(folder);
        foreach (var (name, file) in manifest.Files) Verify(folder, name, file);
        var config = ModelConfig.Read(folder);
        if (manifest.MaxPositions < 1 || manifest.MaxPositions > config.MaxPositions)
            throw new InvalidDataException($"{folder}: max_positions is {manifest.MaxPositions}, but the model has {config.MaxPositions}.");

        // The graph may have been exported for fewer positions than the model has.
        config = config with { MaxPositionEmbeddings = manifest.MaxPositions };
        var tokenizer = GuardTokenizer.Load(Path.Combine(folder, BundleManifest.TokenizerFile));
        if (tokenizer.VocabularySize > config.VocabSize)
            throw new InvalidDataException($"{folder}: the tokeniser has {tokenizer.VocabularySize} tokens, the model {config.VocabSize}.");
        var policy = PolicyReader.Read(File.ReadAllBytes(Path.Combine(folder, BundleManifest.PolicyFile)));
        var calibration = Calibration.Parse(File.ReadAllBytes(Path.Combine(folder, BundleManifest.CalibrationFile)));
        var lexical = manifest.Files.ContainsKey(BundleManifest.LexicalFile)
            ? LexicalPrior.Load(Path.Combine(folder, BundleManifest.LexicalFile))
            : null;
        return new ModelBundle(folder, manifest, config, tokenizer, policy, calibration, lexical, LoadTemplate(folder, manifest, tokenizer));
    }

    /// <exception cref="InvalidDataException">The bundle was exported for another device.</exception>
    public void RequireDevice(Device device)
    {
        if (Manifest.Device == device) return;
        var weights = Manifest.Device == Device.Cuda ? "int8" : "fp16";
        throw new InvalidDataException(
            $"{Folder} was exported for {Manifest.Device} ({Manifest.Weights}), but the engine is to run on {device}. " +
            $"Set Engine:Device to {Manifest.Device}, or export the model again with --weights {weights}.");
    }

    /// <exception cref="InvalidDataException">The model cannot judge, because its tokeniser has no tokens for traces.</exception>
    public void RequireTraceTokens()
    {
        if (Tokenizer.MissingTraceTokens is { Count: > 0 } missing)
            throw new InvalidDataException($"{Folder} cannot judge: its tokeniser has no {missing[0]}. A model must be trained for traces first.");
    }

    private static ChatTemplate? LoadTemplate(string folder, BundleManifest manifest, GuardTokenizer tokenizer)
    {
        if (!manifest.Files.ContainsKey(BundleManifest.ChatTemplateFile)) return null;
        if (!manifest.Files.ContainsKey(BundleManifest.ChatTokensFile))
            throw new InvalidDataException($"{folder}: a chat template needs {BundleManifest.ChatTokensFile}.");
        var template = ChatTemplate.Load(folder);
        if (template?.EndToken is { } end && !tokenizer.SpecialTokens.Contains(end))
            throw new InvalidDataException($"{folder}: the chat template ends an answer with {end}, which is no special token of the tokeniser.");
        return template;
    }

    private static BundleManifest ReadManifest(string folder)
    {
        var path = Path.Combine(folder, BundleManifest.FileName);
        if (!File.Exists(path)) throw new InvalidDataException($"{folder} is not a model bundle: it has no {BundleManifest.FileName}.");
        var bytes = File.ReadAllBytes(path);
        BundleManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<BundleManifest>(bytes, ManifestJson);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }

        if (manifest?.Format != BundleManifest.CurrentFormat)
            throw new InvalidDataException($"{path}: format {manifest?.Format} is not supported ({BundleManifest.CurrentFormat} is).");
        if (manifest.Files is null || manifest.Files.Values.Any(f => f?.Sha256 is null)) throw new InvalidDataException($"{path}: 'files' is incomplete.");
        foreach (var name in Required)
            if (!manifest.Files.ContainsKey(name)) throw new InvalidDataException($"{path}: '{name}' is missing.");
        return manifest with { Digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes)) };
    }

    private static void Verify(string folder, string name, BundleFile expected)
    {
        if (name != Path.GetFileName(name)) throw new InvalidDataException($"{folder}: '{name}' is not a plain file name.");
        var path = Path.Combine(folder, name);
        if (!File.Exists(path)) throw new InvalidDataException($"{path} is missing.");
        using var stream = File.OpenRead(path);
        if (stream.Length != expected.Bytes || Convert.ToHexStringLower(SHA256.HashData(stream)) != expected.Sha256)
            throw new InvalidDataException($"{path} is not the file that the manifest describes.");
    }
}
