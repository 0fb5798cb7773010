using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Exporter;

/// <summary>
/// Writes a decoder of the Llama family as one ragged-flat graph: the tokens of all sequences of a batch lie one after the other, attention
/// reads and writes a paged cache, and everything else works on rows. Prefill, decoding and forced tokens are the same graph.
/// T tokens, B sequences, M blocks of a sequence, N blocks of S tokens in the cache, W floats of a head there, R rows that need logits.
/// </summary>
internal sealed class TransformerExporter
{
    private const string Embedding = "embedding";
    private const string Ngrams = "ngrams";

    /// <summary>A table of angles for every position that a model promises may be larger than the model.</summary>
    private const int DefaultMaxPositions = 8192;
    private const int MaxRotaryElements = 1 << 28;

    private readonly Checkpoint _checkpoint;
    private readonly ModelConfig _config;
    private readonly int _maxPositions;
    private readonly OnnxGraph _graph;
    private readonly GraphLinears _linears;
    private readonly LayerNodes _nodes;

    private TransformerExporter(Checkpoint checkpoint, WeightFormat format, int maxPositions, OnnxGraph graph)
    {
        _checkpoint = checkpoint;
        _config = checkpoint.Config;
        _maxPositions = maxPositions;
        _graph = graph;
        _linears = new GraphLinears(graph, format);
        _nodes = new LayerNodes(graph, _linears, new GraphAttention(graph, _config, format.Device()), _config);
    }

    /// <summary>Writes the graph and its weights to a folder, and returns the longest sequence that the graph computes.</summary>
    /// <param name="maxPositions">That length; null for the model's, but at most 8192.</param>
    /// <exception cref="InvalidDataException">The model has fewer positions.</exception>
    public static int Export(Checkpoint checkpoint, WeightFormat format, string folder, int? maxPositions = null)
    {
        var positions = maxPositions ?? Math.Min(checkpoint.Config.MaxPositions, DefaultMaxPositions);
        if (positions > checkpoint.Config.MaxPositions)
            throw new InvalidDataException($"The model has {checkpoint.Config.MaxPositions} positions; {positions} are too many.");
        if ((long)positions * checkpoint.Config.HeadSize > MaxRotaryElements)
            throw new InvalidDataException($"{positions} positions are too many for a table of angles; --max-positions takes fewer.");
        using var weights = File.Create(Path.Combine(folder, BundleManifest.WeightsFile));
        var graph = new OnnxGraph("saferguard", weights, BundleManifest.WeightsFile, format.Floats());
        new TransformerExporter(checkpoint, format, positions, graph).Build();
        using var model = File.Create(Path.Combine(folder, BundleManifest.GraphFile));
        graph.Save(model);
        return positions;
    }

    private void Build()
    {
        _graph.Input("input_ids", DataType.Int64, Size("T"));
        if (_config.SaferguardNgrams is { } ngrams) _graph.Input("ngram_ids", DataType.Int64, Size("T"), Size(ngrams.Orders));
        _graph.Input("cu_seqlens", DataType.Int32, Size("B1")); // B + 1 starts of sequences
        _graph.Input("past_lens", DataType.Int32, Size("B"));
        _graph.Input("block_table", DataType.Int32, Size("B"), Size("M"));
        _graph.Input("logit_idx", DataType.Int64, Size("R"));
        AddRotaryTables();

        var residual = Embed(); // (T, D)
        var normed = _nodes.Norm("layers.0.attention_norm", residual, Weights(0, "input_layernorm"));
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            var isLast = layer == _config.NumHiddenLayers - 1;
            var attention = Attention(layer, normed, isLast); // (T, H * Dh)
            if (isLast)
            {
                // What follows the last attention works on rows, so only those that need logits go on.
                attention = new Activation(_graph.Node("Gather", "last.attention", [attention.Floats!, "logit_idx"]));
                residual = _graph.Node("Gather", "last.residual", [residual, "logit_idx"]);
            }

            var output = Multiply(layer, Linear.AttentionOutput, attention, ["self_attn.o_proj"], _config.AttentionBias);
            (normed, residual) = _nodes.AddAndNorm(
                $"layers.{layer}.mlp_norm", residual, output, Weights(layer, "post_attention_layernorm"), Linear.GateUp);
            var mlp = FeedForward(layer, normed); // (T, D)
            (normed, residual) = isLast
                ? _nodes.AddAndNorm("norm", residual, mlp, _checkpoint.Read(Checkpoint.FinalNorm).Data, Linear.Head)
                : _nodes.AddAndNorm($"layers.{layer + 1}.attention_norm", residual, mlp, Weights(layer + 1, "input_layernorm"), Linear.QueryKeyValue);
        }

        // The engine reads 32-bit floats whatever the graph computes in.
        const string Name = "logits";
        var product = _graph.Floats == DataType.Float ? Name : $"{Name}.rounded";
        var logits = _config.TieWordEmbeddings
            ? _linears.MultiplyByTable(product, normed, Embedding)
            : _linears.Finish(_linears.Multiply(Linear.Head, product, normed, _checkpoint.Read(Checkpoint.Head).Data, _config.HiddenSize));
        if (product != Name) logits = _graph.Node("Cast", Name, [logits], Attribute("to", (long)DataType.Float));
        _graph.Output(logits, DataType.Float, Size("R"), Size(_config.VocabSize));
    }

    /// <summary>Angles of every position: (positions, Dh / 2).</summary>
    private void AddRotaryTables()
    {
        var frequencies = RotaryFrequencies.Of(_config);
        var half = frequencies.Length;
        var cos = new float[_maxPositions * half];
        var sin = new float[cos.Length];
        for (var i = 0; i < cos.Length; i++)
        {
            var (sine, cosine) = Math.SinCos(i / half * frequencies[i % half]);
            (sin[i], cos[i]) = ((float)sine, (float)cosine);
        }

        _graph.Constant<float>("cos", [_maxPositions, half], cos);
        _graph.Constant<float>("sin", [_maxPositions, half], sin);
    }

    private string Embed()
    {
        _linears.Table(Embedding, _checkpoint.Read(Checkpoint.EmbedTokens).Data, _config.HiddenSize);
        var tokens = _linears.LookUp(Embedding, "input_ids"); // (T, D)
        if (_config.SaferguardNgrams is not { } ngrams) return tokens;

        _linears.Table(Ngrams, _checkpoint.Read(Checkpoint.NgramEmbed).Data, ngrams.Size);
        var axis = _graph.Constant<long>("ngrams.axis", [1], [1]);
        var rows = _linears.LookUp(Ngrams, "ngram_ids"); // (T, orders, size)
        var sum = _graph.Node("ReduceSum", "ngrams.sum", [rows, axis], Attribute("keepdims", 0)); // (T, size)
        var projected = _linears.Multiply(
            Linear.NgramProjection, "ngrams.projection", new Activation(sum), _checkpoint.Read(Checkpoint.NgramProjection).Data, ngrams.Size);
        return _graph.Node("Add", "embedded", [tokens, _linears.Finish(projected)]);
    }

    private Activation Attention(int layer, Activation x, bool isLast)
    {
        var qkv = Multiply(
            layer, Linear.QueryKeyValue, x, ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], _config.HasQueryKeyValueBias);
        (float[], float[])? norms = _config.HasQueryKeyNorm ? (Weights(layer, "self_attn.q_norm"), Weights(layer, "self_attn.k_norm")) : null;
        return _nodes.Attention(layer, qkv, norms, wantsFloats: isLast);
    }

    private Product FeedForward(int layer, Activation x)
    {
        var gateUp = Multiply(layer, Linear.GateUp, x, ["mlp.gate_proj", "mlp.up_proj"], _config.MlpBias); // (T, 2 F)
        return Multiply(layer, Linear.Down, _nodes.SwiGlu($"layers.{layer}.inner", gateUp), ["mlp.down_proj"], _config.MlpBias);
    }

    /// <summary>One product for several weights of a layer, whose outputs lie one after the other, and their biases.</summary>
    private Product Multiply(int layer, Linear linear, Activation x, string[] names, bool hasBias)
    {
        var weights = names.Select(n => _checkpoint.Read(Checkpoint.LayerTensor(layer, n))).ToArray();
        var biases = hasBias ? Concatenate([.. names.Select(n => _checkpoint.Read(Checkpoint.LayerBias(layer, n)))]) : null;
        return _linears.Multiply(linear, $"layers.{layer}.{linear}", x, Concatenate(weights), (int)weights[0].Shape[1], biases);
    }

    private static float[] Concatenate(Tensor[] tensors)
    {
        if (tensors is [var single]) return single.Data;
        var data = new float[tensors.Sum(t => t.Data.Length)];
        var end = 0;
        foreach (var tensor in tensors)
        {
            tensor.Data.CopyTo(data, end);
            end += tensor.Data.Length;
        }

        return data;
    }

    private float[] Weights(int layer, string name) => _checkpoint.Read(Checkpoint.LayerTensor(layer, name)).Data;
}
