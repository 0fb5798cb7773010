using System.Text.Json;
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

/// <summary>
/// <c>config.json</c> of a checkpoint folder, in Hugging Face's names. Unknown fields are refused unless they cannot change the arithmetic
/// (<see cref="Ignorable"/>): a scaling that is silently dropped gives a model that is silently wrong.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>Fields that do not change the arithmetic of a forward pass.</summary>
    private static readonly HashSet<string> Ignorable =
    [
        "architectures", "_name_or_path", "bos_token_id", "eos_token_id", "pad_token_id", "initializer_range", "torch_dtype", "dtype",
        "transformers_version", "use_cache", "attention_dropout", "pretraining_tp",
    ];

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    [JsonRequired] public string ModelType { get; init; } = "llama";
    [JsonRequired] public int VocabSize { get; init; }
    [JsonRequired] public int HiddenSize { get; init; }
    [JsonRequired] public int IntermediateSize { get; init; }
    [JsonRequired] public int NumHiddenLayers { get; init; }
    [JsonRequired] public int NumAttentionHeads { get; init; }
    [JsonRequired] public int NumKeyValueHeads { get; init; }
    [JsonRequired] public int MaxPositionEmbeddings { get; init; }
    public int? HeadDim { get; init; }
    public float RmsNormEps { get; init; } = 1e-5f;
    public float RopeTheta { get; init; } = 10000f;
    public bool TieWordEmbeddings { get; init; } = true;
    public string HiddenAct { get; init; } = "silu";

    /// <summary>Null where the checkpoint has no n-gram embeddings.</summary>
    public NgramConfig? SaferguardNgrams { get; init; }

    /// <summary>Width of one attention head.</summary>
    [JsonIgnore] public int HeadSize => HeadDim ?? HiddenSize / NumAttentionHeads;

    /// <exception cref="InvalidDataException">A field is missing, unknown or out of range; the message names every one.</exception>
    public static ModelConfig Parse(string json)
    {
        ModelConfig config;
        try
        {
            var fields = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)
                ?? throw new InvalidDataException("config.json is empty.");
            var known = fields.Where(f => !Ignorable.Contains(f.Key)).ToDictionary(f => f.Key, f => f.Value);
            config = JsonSerializer.SerializeToElement(known).Deserialize<ModelConfig>(Json)!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"config.json: {e.Message}", e);
        }

        var errors = config.Errors().ToList();
        return errors.Count == 0 ? config : throw new InvalidDataException("config.json: " + string.Join("; ", errors));
    }

    public static ModelConfig Read(string folder) => Parse(File.ReadAllText(Path.Combine(folder, "config.json")));

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    private IEnumerable<string> Errors()
    {
        if (ModelType != "llama") yield return $"model_type '{ModelType}' is not supported (llama is)";
        if (HiddenAct != "silu") yield return $"hidden_act '{HiddenAct}' is not supported (silu is)";
        if (!TieWordEmbeddings) yield return "tie_word_embeddings must be true";
        foreach (var (name, value) in new[]
        {
            ("vocab_size", VocabSize), ("hidden_size", HiddenSize), ("intermediate_size", IntermediateSize),
            ("num_hidden_layers", NumHiddenLayers), ("num_attention_heads", NumAttentionHeads),
            ("num_key_value_heads", NumKeyValueHeads), ("max_position_embeddings", MaxPositionEmbeddings),
        })
        {
            if (value is < 1 or > 1 << 22) yield return $"{name} is {value}, which is out of range";
        }

        if (NumKeyValueHeads > 0 && NumAttentionHeads % NumKeyValueHeads != 0)
            yield return "num_attention_heads must be a multiple of num_key_value_heads";
        if (NumAttentionHeads > 0 && (HeadSize < 2 || HeadSize % 2 != 0)) yield return "head_dim must be even";
        if (!float.IsFinite(RopeTheta) || RopeTheta <= 1) yield return "rope_theta must be above 1";
        if (!float.IsFinite(RmsNormEps) || RmsNormEps <= 0) yield return "rms_norm_eps must be above 0";
        if (SaferguardNgrams is { } n && (n.Orders is < 1 or > 4 || n.Buckets is < 2 or > 1 << 24 || n.Size is < 1 or > 4096))
            yield return "saferguard_ngrams is out of range";
    }
}
