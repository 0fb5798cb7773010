using System.Numerics.Tensors;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>
/// A checkpoint folder in Hugging Face's format: <c>config.json</c> and <c>model.safetensors</c>, or its shards, whose tensors are exactly those
/// that the configuration asks for. Tensors stay in their files until they are read.
/// </summary>
public sealed class Checkpoint
{
    public const string ConfigFile = "config.json";
    public const string WeightsFile = "model.safetensors";
    public const string TokenizerFile = "tokenizer.json";
    public const string EmbedTokens = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string NgramEmbed = "model.ngram_embed.weight";
    public const string NgramProjection = "model.ngram_proj.weight";

    /// <summary>The head, where it is not the embedding.</summary>
    public const string Head = "lm_head.weight";

    private const int MaxListedErrors = 32;

    private readonly WeightFiles _weights;

    private Checkpoint(string folder, ModelConfig config, WeightFiles weights)
    {
        Folder = folder;
        Config = config;
        _weights = weights;
    }

    public string Folder { get; }

    public ModelConfig Config { get; }

    /// <summary>Reads a tensor by its Hugging Face name.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    public Tensor Read(string name) => (_weights.FileOf(name) ?? throw new KeyNotFoundException($"The checkpoint has no {name}.")).Read(name);

    /// <summary>Name of a layer's weights, for example those of <c>self_attn.q_proj</c> in layer 0.</summary>
    public static string LayerTensor(int layer, string name) => $"model.layers.{layer}.{name}.weight";

    /// <summary>Name of a layer's biases.</summary>
    public static string LayerBias(int layer, string name) => $"model.layers.{layer}.{name}.bias";

    /// <exception cref="InvalidDataException">A file is missing or wrong; the message lists the tensors that are.</exception>
    public static Checkpoint Load(string folder)
    {
        if (!File.Exists(Path.Combine(folder, ConfigFile))) throw new InvalidDataException($"{folder} is not a checkpoint: it has no {ConfigFile}.");
        var config = ModelConfig.Read(folder);
        var weights = WeightFiles.Open(folder);
        var errors = Errors(config, weights).Take(MaxListedErrors).ToList();
        return errors.Count == 0
            ? new Checkpoint(folder, config, weights)
            : throw new InvalidDataException($"{WeightsFile}: " + string.Join("; ", errors));
    }

    /// <summary>Names and shapes of every tensor of a model. Linear weights are (outputs, inputs).</summary>
    public static IEnumerable<(string Name, long[] Shape)> TensorsOf(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = (long)config.NumAttentionHeads * config.HeadSize, keys = (long)config.NumKeyValueHeads * config.HeadSize;
        bool attention = config.AttentionBias, queryKeyValue = config.HasQueryKeyValueBias, mlp = config.MlpBias;
        (string Name, long Outputs, long Inputs, bool HasBias)[] linears =
        [
            ("self_attn.q_proj", queries, hidden, queryKeyValue),
            ("self_attn.k_proj", keys, hidden, queryKeyValue),
            ("self_attn.v_proj", keys, hidden, queryKeyValue),
            ("self_attn.o_proj", hidden, queries, attention),
            ("mlp.gate_proj", intermediate, hidden, mlp),
            ("mlp.up_proj", intermediate, hidden, mlp),
            ("mlp.down_proj", hidden, intermediate, mlp),
        ];
        yield return (EmbedTokens, [config.VocabSize, hidden]);
        if (!config.TieWordEmbeddings) yield return (Head, [config.VocabSize, hidden]);
        if (config.SaferguardNgrams is { } ngrams)
        {
            yield return (NgramEmbed, [ngrams.Buckets, ngrams.Size]);
            yield return (NgramProjection, [hidden, ngrams.Size]);
        }

        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            yield return (LayerTensor(layer, "input_layernorm"), [hidden]);
            yield return (LayerTensor(layer, "post_attention_layernorm"), [hidden]);
            if (config.HasQueryKeyNorm)
            {
                yield return (LayerTensor(layer, "self_attn.q_norm"), [config.HeadSize]);
                yield return (LayerTensor(layer, "self_attn.k_norm"), [config.HeadSize]);
            }

            foreach (var (name, outputs, inputs, hasBias) in linears)
            {
                yield return (LayerTensor(layer, name), [outputs, inputs]);
                if (hasBias) yield return (LayerBias(layer, name), [outputs]);
            }
        }

        yield return (FinalNorm, [hidden]);
    }

    private static IEnumerable<string> Errors(ModelConfig config, WeightFiles weights)
    {
        var unexpected = new HashSet<string>(weights.Names);
        foreach (var (name, shape) in TensorsOf(config))
        {
            unexpected.Remove(name);
            if (weights.FileOf(name) is not { } file) yield return $"{name} is missing";
            else if (!file.ShapeOf(name).SequenceEqual(shape))
                yield return $"{name} is [{string.Join(", ", file.ShapeOf(name).ToArray())}] but config.json asks for [{string.Join(", ", shape)}]";
            else if (!TensorPrimitives.IsFiniteAll<float>(file.Read(name).Data)) yield return $"{name} has values that are not finite";
        }

        // Some folders repeat a tied embedding as the head. Another head would be silently ignored.
        if (config.TieWordEmbeddings && unexpected.Remove(Head) && weights.FileOf(EmbedTokens) is { } embedding
            && !weights.FileOf(Head)!.Read(Head).Data.AsSpan().SequenceEqual(embedding.Read(EmbedTokens).Data))
            yield return $"{Head} is not the embedding, although tie_word_embeddings is true";
        foreach (var name in unexpected.Order(StringComparer.Ordinal)) yield return $"{name} is unexpected";
    }
}
