using System.Numerics.Tensors;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>
/// A checkpoint folder in Hugging Face's format: <c>config.json</c> and <c>model.safetensors</c>, whose tensors are exactly those that the
/// configuration asks for.
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

    private const int MaxListedErrors = 32;

    private readonly SafeTensors _tensors;

    private Checkpoint(string folder, ModelConfig config, SafeTensors tensors)
    {
        Folder = folder;
        Config = config;
        _tensors = tensors;
    }

    public string Folder { get; }

    public ModelConfig Config { get; }

    /// <summary>A tensor by its Hugging Face name.</summary>
    public Tensor this[string name] => _tensors[name];

    /// <summary>Name of a layer's tensor, for example <c>self_attn.q_proj</c> of layer 0.</summary>
    public static string LayerTensor(int layer, string name) => $"model.layers.{layer}.{name}.weight";

    /// <exception cref="InvalidDataException">A file is missing or wrong; the message lists the tensors that are.</exception>
    public static Checkpoint Load(string folder)
    {
        foreach (var file in new[] { ConfigFile, WeightsFile })
        {
            if (!File.Exists(Path.Combine(folder, file))) throw new InvalidDataException($"{folder} is not a checkpoint: it has no {file}.");
        }

        var config = ModelConfig.Read(folder);
        var tensors = SafeTensors.Read(Path.Combine(folder, WeightsFile));
        var errors = Errors(config, tensors).Take(MaxListedErrors).ToList();
        return errors.Count == 0
            ? new Checkpoint(folder, config, tensors)
            : throw new InvalidDataException($"{WeightsFile}: " + string.Join("; ", errors));
    }

    /// <summary>Names and shapes of every tensor of a model. Linear weights are (outputs, inputs).</summary>
    public static IEnumerable<(string Name, long[] Shape)> TensorsOf(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = (long)config.NumAttentionHeads * config.HeadSize, keys = (long)config.NumKeyValueHeads * config.HeadSize;
        yield return (EmbedTokens, [config.VocabSize, hidden]);
        if (config.SaferguardNgrams is { } ngrams)
        {
            yield return (NgramEmbed, [ngrams.Buckets, ngrams.Size]);
            yield return (NgramProjection, [hidden, ngrams.Size]);
        }

        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            yield return (LayerTensor(layer, "input_layernorm"), [hidden]);
            yield return (LayerTensor(layer, "self_attn.q_proj"), [queries, hidden]);
            yield return (LayerTensor(layer, "self_attn.k_proj"), [keys, hidden]);
            yield return (LayerTensor(layer, "self_attn.v_proj"), [keys, hidden]);
            yield return (LayerTensor(layer, "self_attn.o_proj"), [hidden, queries]);
            yield return (LayerTensor(layer, "post_attention_layernorm"), [hidden]);
            yield return (LayerTensor(layer, "mlp.gate_proj"), [intermediate, hidden]);
            yield return (LayerTensor(layer, "mlp.up_proj"), [intermediate, hidden]);
            yield return (LayerTensor(layer, "mlp.down_proj"), [hidden, intermediate]);
        }

        yield return (FinalNorm, [hidden]);
    }

    private static IEnumerable<string> Errors(ModelConfig config, SafeTensors tensors)
    {
        var unexpected = new HashSet<string>(tensors.Names);
        foreach (var (name, shape) in TensorsOf(config))
        {
            unexpected.Remove(name);
            if (!tensors.TryGet(name, out var tensor)) yield return $"{name} is missing";
            else if (!tensor.Shape.AsSpan().SequenceEqual(shape))
                yield return $"{name} is [{string.Join(", ", tensor.Shape)}] but config.json asks for [{string.Join(", ", shape)}]";
            else if (!TensorPrimitives.IsFiniteAll<float>(tensor.Data)) yield return $"{name} has values that are not finite";
        }

        foreach (var name in unexpected.Order(StringComparer.Ordinal)) yield return $"{name} is unexpected";
    }
}
