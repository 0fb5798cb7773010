using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Exporter;

/// <summary>
/// Writes a Llama-style decoder as one ragged-flat graph: the tokens of all sequences of a batch lie one after the other, attention reads and
/// writes a paged cache, and everything else works on rows. Prefill, decoding and forced tokens are the same graph.
/// T tokens, B sequences, M blocks of a sequence, N blocks of S tokens in the cache, W floats of a head there, R rows that need logits.
/// </summary>
internal sealed class TransformerExporter
{
    private const string Embedding = "embedding";
    private const string Ngrams = "ngrams";
    private const int MaxRotaryElements = 1 << 28;

    private readonly Checkpoint _checkpoint;
    private readonly ModelConfig _config;
    private readonly OnnxGraph _graph;
    private readonly GraphLinears _linears;

    private TransformerExporter(Checkpoint checkpoint, WeightFormat format, OnnxGraph graph)
    {
        _checkpoint = checkpoint;
        _config = checkpoint.Config;
        _graph = graph;
        _linears = new GraphLinears(graph, format);
    }

    /// <summary>Writes the graph and its weights to a folder.</summary>
    public static void Export(Checkpoint checkpoint, WeightFormat format, string folder)
    {
        using var weights = File.Create(Path.Combine(folder, BundleManifest.WeightsFile));
        var graph = new OnnxGraph("saferguard", weights, BundleManifest.WeightsFile);
        new TransformerExporter(checkpoint, format, graph).Build();
        using var model = File.Create(Path.Combine(folder, BundleManifest.GraphFile));
        graph.Save(model);
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
        var normed = Norm("layers.0.attention_norm", residual, Weights(0, "input_layernorm"));
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            var isLast = layer == _config.NumHiddenLayers - 1;
            var attention = Attention(layer, normed); // (T, H * Dh)
            if (isLast)
            {
                // What follows the last attention works on rows, so only those that need logits go on.
                attention = _graph.Node("Gather", "last.attention", [attention, "logit_idx"]);
                residual = _graph.Node("Gather", "last.residual", [residual, "logit_idx"]);
            }

            var output = Multiply(layer, Linear.AttentionOutput, attention, ["self_attn.o_proj"]);
            (normed, residual) = AddAndNorm($"layers.{layer}.mlp_norm", residual, output, Weights(layer, "post_attention_layernorm"));
            var mlp = FeedForward(layer, normed); // (T, D)
            (normed, residual) = isLast
                ? AddAndNorm("norm", residual, mlp, _checkpoint.Read(Checkpoint.FinalNorm).Data)
                : AddAndNorm($"layers.{layer + 1}.attention_norm", residual, mlp, Weights(layer + 1, "input_layernorm"));
        }

        var logits = _linears.MultiplyByTable("logits", normed, Embedding);
        _graph.Output(logits, DataType.Float, Size("R"), Size(_config.VocabSize));
    }

    /// <summary>Angles of every position: (positions, Dh / 2).</summary>
    private void AddRotaryTables()
    {
        var half = _config.HeadSize / 2;
        if ((long)_config.MaxPositionEmbeddings * half > MaxRotaryElements)
            throw new InvalidDataException($"config.json: max_position_embeddings is {_config.MaxPositionEmbeddings}, which is too many for a table.");
        var cos = new float[_config.MaxPositionEmbeddings * half];
        var sin = new float[cos.Length];
        for (var i = 0; i < cos.Length; i++)
        {
            var angle = i / half * Math.Pow(_config.RopeTheta, -2.0 * (i % half) / _config.HeadSize);
            (sin[i], cos[i]) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
        }

        _graph.Constant<float>("cos", [_config.MaxPositionEmbeddings, half], cos);
        _graph.Constant<float>("sin", [_config.MaxPositionEmbeddings, half], sin);
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
            Linear.NgramProjection, "ngrams.projection", sum, _checkpoint.Read(Checkpoint.NgramProjection).Data, ngrams.Size);
        return _graph.Node("Add", "embedded", [tokens, projected]);
    }

    private string Attention(int layer, string x)
    {
        string Cache(string name) => _graph.Input(
            $"{name}_{layer}", DataType.Float, Size("N"), Size("S"), Size(_config.NumKeyValueHeads), Size("W"));
        var qkv = Multiply(layer, Linear.QueryKeyValue, x, ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]);
        return _graph.Node(
            $"{MicrosoftDomain}.PagedAttention",
            $"layers.{layer}.attention",
            [qkv, "", "", Cache("key_cache"), Cache("value_cache"), "cu_seqlens", "past_lens", "block_table", "cos", "sin"],
            Attribute("num_heads", _config.NumAttentionHeads),
            Attribute("kv_num_heads", _config.NumKeyValueHeads),
            Attribute("do_rotary", 1));
    }

    /// <summary>SwiGLU.</summary>
    private string FeedForward(int layer, string x)
    {
        string Name(string part) => $"layers.{layer}.{part}";
        var gateUp = Multiply(layer, Linear.GateUp, x, ["mlp.gate_proj", "mlp.up_proj"]); // (T, 2 F)
        _graph.Node("Split", [Name("gate"), Name("up")], [gateUp], Attribute("axis", -1), Attribute("num_outputs", 2));
        var silu = _graph.Node($"{MicrosoftDomain}.QuickGelu", Name("silu"), [Name("gate")], Attribute("alpha", 1f));
        var inner = _graph.Node("Mul", Name("inner"), [silu, Name("up")]);
        return Multiply(layer, Linear.Down, inner, ["mlp.down_proj"]);
    }

    /// <summary>One product for several weights of a layer, whose outputs lie one after the other.</summary>
    private string Multiply(int layer, Linear linear, string x, string[] names)
    {
        var weights = names.Select(n => _checkpoint.Read(Checkpoint.LayerTensor(layer, n))).ToArray();
        float[] packed = weights is [var single] ? single.Data : [.. weights.SelectMany(w => w.Data)];
        return _linears.Multiply(linear, $"layers.{layer}.{linear}", x, packed, (int)weights[0].Shape[1]);
    }

    private string Norm(string name, string x, float[] weights) => _graph.Node(
        "SimplifiedLayerNormalization",
        $"{name}.out",
        [x, _graph.Constant<float>($"{name}.weight", [weights.Length], weights)],
        Attribute("axis", -1),
        Attribute("epsilon", _config.RmsNormEps),
        Attribute("stash_type", 1));

    private (string Normed, string Sum) AddAndNorm(string name, string x, string y, float[] weights)
    {
        _graph.Node(
            $"{MicrosoftDomain}.SkipSimplifiedLayerNormalization",
            [$"{name}.out", "", "", $"{name}.sum"],
            [x, y, _graph.Constant<float>($"{name}.weight", [weights.Length], weights)],
            Attribute("epsilon", _config.RmsNormEps));
        return ($"{name}.out", $"{name}.sum");
    }

    private float[] Weights(int layer, string name) => _checkpoint.Read(Checkpoint.LayerTensor(layer, name)).Data;
}
