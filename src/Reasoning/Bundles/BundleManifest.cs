using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Templates;

namespace SaferGuard.Reasoning.Bundles;

/// <summary>SHA-256 (hexadecimal) and size of one file of a bundle.</summary>
public sealed record BundleFile(string Sha256, long Bytes);

/// <summary>
/// <c>manifest.json</c> of a model bundle: a folder with <c>model.onnx</c>, its data file, <c>config.json</c>, <c>tokenizer.json</c>,
/// <c>policy.yaml</c>, <c>calibration.json</c>, and perhaps <c>lexical.safetensors</c> and a chat template. Written last, so that a folder with a
/// manifest is complete.
/// </summary>
/// <param name="Format">Version of the bundle format.</param>
/// <param name="Weights">Format of the linear weights: fp32, int8 or int4 for the CPU, fp16 or bf16 for CUDA.</param>
/// <param name="CanAnswer">The model can also answer prompts, not only judge them.</param>
/// <param name="ReadsRuleText">The text of each rule is put before its query token.</param>
/// <param name="MaxPositions">The longest sequence, trace included, in tokens.</param>
/// <param name="Device">The device that the graph was written for; manifests that do not name one are for the CPU.</param>
public sealed record BundleManifest(
    int Format,
    string Id,
    DateTimeOffset Created,
    string Weights,
    bool CanAnswer,
    bool ReadsRuleText,
    int MaxPositions,
    IReadOnlyDictionary<string, BundleFile> Files,
    Device Device = Device.Cpu)
{
    public const int CurrentFormat = 1;
    public const string FileName = "manifest.json";
    public const string GraphFile = "model.onnx";
    public const string WeightsFile = "model.onnx.data";
    public const string ConfigFile = "config.json";
    public const string TokenizerFile = "tokenizer.json";
    public const string PolicyFile = "policy.yaml";
    public const string CalibrationFile = "calibration.json";

    /// <summary>Optional.</summary>
    public const string LexicalFile = "lexical.safetensors";

    /// <summary>Optional: how the model wants to be asked for an answer.</summary>
    public const string ChatTemplateFile = ChatTemplate.TemplateFile;

    /// <summary>With <see cref="ChatTemplateFile"/>: the special tokens that it uses.</summary>
    public const string ChatTokensFile = ChatTemplate.TokensFile;

    /// <summary><c>sha256:</c> and the hexadecimal hash of the manifest's bytes, which fix every other file.</summary>
    [JsonIgnore]
    public string Digest { get; init; } = "";
}
