using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine.Kernels;
using static SaferGuard.Exporter.OnnxGraph;

namespace SaferGuard.Exporter;

/// <summary>
/// Adds what stands between the products of a layer. Between int8 products it is one op of our own, which takes a product as it comes and gives the
/// bytes of the next one: at a few tokens a node costs more than what it computes, and at many a pass over memory does.
/// </summary>
internal sealed class LayerNodes(OnnxGraph graph, GraphLinears linears, GraphAttention attention, ModelConfig config)
{
    public Activation Norm(string name, string x, float[] weights) => new(graph.Node(
        "SimplifiedLayerNormalization",
        $"{name}.out",
        [x, graph.Constant<float>($"{name}.weight", [weights.Length], weights)],
        Attribute("axis", -1),
        Attribute("epsilon", config.RmsNormEps),
        Attribute("stash_type", 1)));

    /// <summary>The sum of a residual and a product, and its norm.</summary>
    /// <param name="next">The product that the norm goes into.</param>
    public (Activation Normed, string Sum) AddAndNorm(string name, string residual, Product product, float[] weights, Linear next)
    {
        var weight = graph.Constant<float>($"{name}.weight", [weights.Length], weights);
        if (product.Magnitudes is { } magnitudes && linears.IsInt8(next))
        {
            graph.Node(
                $"{CustomOpLibrary.OwnDomain}.AddNormQuant",
                [$"{name}.sum", $"{name}.bytes", $"{name}.largest"],
                [product.Raw, magnitudes, residual, weight, product.Bias ?? ""],
                Attribute("epsilon", config.RmsNormEps));
            return (new Activation(null, $"{name}.bytes", $"{name}.largest"), $"{name}.sum");
        }

        graph.Node(
            $"{MicrosoftDomain}.SkipSimplifiedLayerNormalization",
            [$"{name}.out", "", "", $"{name}.sum"],
            [residual, linears.Finish(product), weight],
            Attribute("epsilon", config.RmsNormEps));
        return (new Activation($"{name}.out"), $"{name}.sum");
    }

    /// <summary><c>silu(gate) · up</c>: (T, 2 F) → (T, F).</summary>
    public Activation SwiGlu(string name, Product gateUp)
    {
        if (gateUp.Magnitudes is { } magnitudes && linears.IsInt8(Linear.Down))
        {
            graph.Node(
                $"{CustomOpLibrary.OwnDomain}.SwiGluQuant", [$"{name}.bytes", $"{name}.largest"], [gateUp.Raw, magnitudes, gateUp.Bias ?? ""]);
            return new Activation(null, $"{name}.bytes", $"{name}.largest");
        }

        graph.Node("Split", [$"{name}.gate", $"{name}.up"], [linears.Finish(gateUp)], Attribute("axis", -1), Attribute("num_outputs", 2));
        var silu = graph.Node($"{MicrosoftDomain}.QuickGelu", $"{name}.silu", [$"{name}.gate"], Attribute("alpha", 1f));
        return new Activation(graph.Node("Mul", name, [silu, $"{name}.up"]));
    }

    /// <summary>Attention over a layer's caches, which become inputs of the graph: (T, (H + 2 Hkv) Dh) → (T, H Dh).</summary>
    /// <param name="norms">Weights that each head of the queries and of the keys is normalised by; null for none.</param>
    /// <param name="wantsFloats">Something else than the next product reads it.</param>
    public Activation Attention(int layer, Product qkv, (float[] Queries, float[] Keys)? norms, bool wantsFloats)
    {
        if (qkv.Magnitudes is { } magnitudes) return QuantisedAttention(layer, qkv, magnitudes, norms, wantsFloats);
        var packed = linears.Finish(qkv);
        if (norms is { } weights) packed = NormaliseHeads(layer, packed, weights);
        return new Activation(attention.Add(layer, packed));
    }

    private Activation QuantisedAttention(int layer, Product qkv, string magnitudes, (float[] Queries, float[] Keys)? norms, bool wantsFloats)
    {
        var name = $"layers.{layer}.attention";
        var quantises = !wantsFloats && linears.IsInt8(Linear.AttentionOutput);
        string[] normWeights = norms is var (queries, keys) ? [HeadNorm("q", queries), HeadNorm("k", keys)] : [];
        graph.Node(
            $"{CustomOpLibrary.OwnDomain}.QuantPagedAttention",
            quantises ? [name, $"{name}.bytes", $"{name}.largest"] : [name],
            [qkv.Raw, magnitudes, .. attention.Caches(layer), .. GraphAttention.Batch, qkv.Bias ?? "", .. normWeights],
            Attribute("num_heads", config.NumAttentionHeads),
            Attribute("kv_num_heads", config.NumKeyValueHeads),
            Attribute("epsilon", config.RmsNormEps));
        return quantises ? new Activation(name, $"{name}.bytes", $"{name}.largest") : new Activation(name);

        string HeadNorm(string part, float[] weight) => graph.Constant<float>($"layers.{layer}.{part}_norm.weight", [weight.Length], weight);
    }

    /// <summary>Normalises each head of the queries and of the keys: (T, (H + 2 Hkv) Dh) → the same.</summary>
    private string NormaliseHeads(int layer, string qkv, (float[] Queries, float[] Keys) weights)
    {
        int queries = config.NumAttentionHeads, keys = config.NumKeyValueHeads, size = config.HeadSize;
        string Name(string part) => $"layers.{layer}.{part}";
        graph.Node(
            "Split", [Name("q"), Name("k"), Name("v")],
            [qkv, graph.Constant<long>(Name("qkv.sizes"), [3], [queries * size, keys * size, keys * size])],
            Attribute("axis", -1));
        return graph.Node(
            "Concat", Name("qkv.normed"), [Heads("q", queries, weights.Queries), Heads("k", keys, weights.Keys), Name("v")], Attribute("axis", -1));

        string Heads(string part, int heads, float[] weight)
        {
            // A size of 0 stays what it is: T.
            var shape = graph.Constant<long>(Name($"{part}.heads.shape"), [3], [0, heads, size]);
            var flat = graph.Constant<long>(Name($"{part}.flat.shape"), [2], [0, heads * size]);
            var split = graph.Node("Reshape", Name($"{part}.heads"), [Name(part), shape]); // (T, heads, Dh)
            return graph.Node("Reshape", Name($"{part}.normed"), [Norm(Name($"{part}_norm"), split, weight).Floats!, flat]); // (T, heads * Dh)
        }
    }
}
