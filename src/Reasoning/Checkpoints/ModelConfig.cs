using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>Hashed word n-gram embeddings, an extension of ours: see <c>WordNgrams</c>.</summary>
/// <param name="Orders">Word n-grams of orders 1..Orders end at each token.</param>
/// <param name="Buckets">Rows of the shared table; row 0 is "no n-gram" and zero.</param>
/// <param name="Size">Width of a row before its projection to the hidden size.</param>
public sealed record NgramConfig(
    [property: JsonRequired] int Orders,
    [property: JsonRequired] int Buckets,
    [property: JsonRequired] int Size);

/// <summary>Llama 3.1's way to longer contexts (<c>rope_type</c> llama3): slow rotations become slower, fast ones stay.</summary>
/// <param name="Factor">What the slowest rotations are divided by.</param>
/// <param name="LowFreqFactor">A rotation that turns less often than this in the original context is slow.</param>
/// <param name="HighFreqFactor">A rotation that turns more often than this in the original context is fast.</param>
/// <param name="OriginalMaxPositionEmbeddings">The original context, in tokens.</param>
public sealed record RopeScaling(
    [property: JsonRequired] double Factor,
    [property: JsonRequired] double LowFreqFactor,
    [property: JsonRequired] double HighFreqFactor,
    [property: JsonRequired] int OriginalMaxPositionEmbeddings)
{
    public const string Llama3 = "llama3";

    public string RopeType { get; init; } = Llama3;
}

/// <summary>
/// <c>config.json</c> of a checkpoint folder, in Hugging Face's names: a decoder of the Llama family. A field that is unknown is refused unless
/// it cannot change the arithmetic: a scaling that is silently dropped gives a model that is silently wrong.
/// </summary>
public sealed record ModelConfig
{
    public const string Llama = "llama";
    public const string Mistral = "mistral";
    public const string Qwen2 = "qwen2";
    public const string Qwen3 = "qwen3";

    [JsonRequired] public string ModelType { get; init; } = Llama;
    [JsonRequired] public int VocabSize { get; init; }
    [JsonRequired] public int HiddenSize { get; init; }
    [JsonRequired] public int IntermediateSize { get; init; }
    [JsonRequired] public int NumHiddenLayers { get; init; }
    [JsonRequired] public int NumAttentionHeads { get; init; }
    [JsonRequired] public int NumKeyValueHeads { get; init; }
    [JsonRequired] public int MaxPositionEmbeddings { get; init; }
    [JsonRequired] public float RmsNormEps { get; init; } = 1e-5f;
    public int? HeadDim { get; init; }
    public float RopeTheta { get; init; } = 10000f;
    public RopeScaling? RopeScaling { get; init; }
    public bool TieWordEmbeddings { get; init; }
    public string HiddenAct { get; init; } = "silu";

    /// <summary>The projections of attention have biases. Those of <see cref="Qwen2"/> have them whatever this says, but not on its output.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public bool AttentionBias { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public bool MlpBias { get; init; }

    /// <summary>Tokens that attention looks back on, itself included; null for all of them. Qwen heeds it only with the next field.</summary>
    public int? SlidingWindow { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public bool UseSlidingWindow { get; init; }

    /// <summary>Null where the checkpoint has no n-gram embeddings.</summary>
    public NgramConfig? SaferguardNgrams { get; init; }

    /// <summary>Width of one attention head.</summary>
    [JsonIgnore] public int HeadSize => HeadDim ?? HiddenSize / NumAttentionHeads;

    /// <summary>
    /// The longest sequence that is computed exactly, in tokens. Attention here has no window, which makes no difference up to its size.
    /// </summary>
    [JsonIgnore] public int MaxPositions => Window is { } window ? Math.Min(MaxPositionEmbeddings, window) : MaxPositionEmbeddings;

    /// <summary>The projections to queries, keys and values have biases.</summary>
    [JsonIgnore] public bool HasQueryKeyValueBias => AttentionBias || ModelType == Qwen2;

    /// <summary>Each head of the queries and keys is normalised before it is rotated.</summary>
    [JsonIgnore] public bool HasQueryKeyNorm => ModelType == Qwen3;

    private int? Window => ModelType == Mistral || UseSlidingWindow ? SlidingWindow : null;

    /// <exception cref="InvalidDataException">A field is missing, unknown or out of range; the message names every one.</exception>
    public static ModelConfig Parse(string json) => ModelConfigReader.Parse(json);

    public static ModelConfig Read(string folder) => Parse(File.ReadAllText(Path.Combine(folder, Checkpoint.ConfigFile)));

    public string ToJson()
    {
        var fields = JsonSerializer.SerializeToNode(this, ModelConfigReader.Json)!;

        // Without the field, Mistral's window is not none but 4096.
        if (ModelType == Mistral) fields["sliding_window"] = JsonValue.Create(SlidingWindow);
        return fields.ToJsonString(ModelConfigReader.Json);
    }

    internal IEnumerable<string> Errors()
    {
        if (HiddenAct != "silu") yield return $"hidden_act '{HiddenAct}' is not supported (silu is)";
        foreach (var (name, value) in new[]
        {
            ("vocab_size", VocabSize), ("hidden_size", HiddenSize), ("intermediate_size", IntermediateSize),
            ("num_hidden_layers", NumHiddenLayers), ("num_attention_heads", NumAttentionHeads),
            ("num_key_value_heads", NumKeyValueHeads), ("max_position_embeddings", MaxPositionEmbeddings),
            ("sliding_window", Window ?? 1), ("head_dim", HeadDim ?? 1),
        })
        {
            if (value is < 1 or > 1 << 22) yield return $"{name} is {value}, which is out of range";
        }

        if (NumKeyValueHeads > 0 && NumAttentionHeads % NumKeyValueHeads != 0)
            yield return "num_attention_heads must be a multiple of num_key_value_heads";
        if (HeadDim is null && NumAttentionHeads > 0 && HiddenSize % NumAttentionHeads != 0)
            yield return "without head_dim, hidden_size must be a multiple of num_attention_heads";
        if (HeadDim is null && ModelType == Qwen3) yield return "head_dim is missing";
        if (NumAttentionHeads > 0 && (HeadSize < 2 || HeadSize % 2 != 0)) yield return "head_dim must be even";
        if ((long)NumAttentionHeads * HeadDim > 1 << 22) yield return "num_attention_heads times head_dim is out of range";
        if (!float.IsFinite(RopeTheta) || RopeTheta <= 1) yield return "rope_theta must be above 1";
        if (!float.IsFinite(RmsNormEps) || RmsNormEps <= 0) yield return "rms_norm_eps must be above 0";
        if (UseSlidingWindow && SlidingWindow is null) yield return "use_sliding_window needs sliding_window";
        if (RopeScaling is { } s && !(s.Factor is >= 1 and < 1e6 && s.LowFreqFactor > 0 && s.HighFreqFactor > s.LowFreqFactor
            && double.IsFinite(s.HighFreqFactor) && s.OriginalMaxPositionEmbeddings is >= 1 and <= 1 << 22))
            yield return "rope_scaling is out of range";
        if (SaferguardNgrams is { } n && (n.Orders is < 1 or > 4 || n.Buckets is < 2 or > 1 << 24 || n.Size is < 1 or > 4096))
            yield return "saferguard_ngrams is out of range";
    }
}
