using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Exporter;

/// <summary>
/// Adds attention over the paged cache, one <c>PagedAttention</c> of com.microsoft for each layer. On the CPU that is our op, which updates the cache
/// inputs in place. On CUDA it is ONNX Runtime's, whose cache outputs must be bound to the same memory as the inputs, and which takes bounds of the
/// batch's lengths from the host.
/// </summary>
internal sealed class GraphAttention
{
    /// <summary>Bounds of the lengths: new tokens at most, all tokens at most, all tokens of the longest at least.</summary>
    private const string Metadata = "attention_metadata";
    private const int MetadataInput = 16;

    /// <summary>What every op of attention takes behind the caches.</summary>
    public static readonly string[] Batch = ["cu_seqlens", "past_lens", "block_table", "cos", "sin"];

    private const int HeadSizeMultiple = 8; // on CUDA

    private readonly OnnxGraph _graph;
    private readonly ModelConfig _config;
    private readonly bool _isCuda;

    /// <exception cref="InvalidDataException">The device has no attention for the model.</exception>
    public GraphAttention(OnnxGraph graph, ModelConfig config, Device device)
    {
        (_graph, _config, _isCuda) = (graph, config, device == Device.Cuda);
        if (!_isCuda) return;
        if (config.HeadSize % HeadSizeMultiple != 0)
            throw new InvalidDataException($"On CUDA the head size must be a multiple of {HeadSizeMultiple}, not {config.HeadSize}.");
        graph.Input(Metadata, DataType.Int32, Size(3));
    }

    /// <summary>Adds a layer's caches as inputs of the graph: keys, then values.</summary>
    public string[] Caches(int layer) => [_graph.Input($"key_cache_{layer}", _graph.Floats, CacheShape), _graph.Input($"value_cache_{layer}", _graph.Floats, CacheShape)];

    /// <param name="qkv">(T, (H + 2 Hkv) Dh)</param>
    /// <returns>(T, H Dh)</returns>
    public string Add(int layer, string qkv)
    {
        string[] inputs = [qkv, "", "", .. Caches(layer), .. Batch];
        string[] outputs = [$"layers.{layer}.attention"];
        if (_isCuda)
        {
            inputs = [.. inputs, .. Enumerable.Repeat("", MetadataInput - inputs.Length), Metadata];
            outputs = [.. outputs, $"key_cache_out_{layer}", $"value_cache_out_{layer}"];
            foreach (var output in outputs.Skip(1)) _graph.Output(output, _graph.Floats, CacheShape);
        }

        _graph.Node(
            $"{MicrosoftDomain}.PagedAttention",
            outputs,
            inputs,
            Attribute("num_heads", _config.NumAttentionHeads),
            Attribute("kv_num_heads", _config.NumKeyValueHeads),
            Attribute("do_rotary", 1));
        return outputs[0];
    }

    /// <summary>On the CPU the width of a head depends on the format of the cache, which is chosen when serving.</summary>
    private Onnx.TensorShapeProto.Types.Dimension[] CacheShape =>
        [Size("N"), Size("S"), Size(_config.NumKeyValueHeads), _isCuda ? Size(_config.HeadSize) : Size("W")];
}
