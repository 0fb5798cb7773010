using SaferGuard.Reasoning.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>Causal grouped-query attention with RoPE. B sequences, T tokens, C hidden size, K key/value heads of G query heads each, D head size.</summary>
internal sealed class Attention : nn.Module
{
    private readonly Projection q_proj;
    private readonly Projection k_proj;
    private readonly Projection v_proj;
    private readonly Projection o_proj;
    private readonly RmsNorm? q_norm; // over a head
    private readonly RmsNorm? k_norm;

    private readonly long _keyHeads;
    private readonly long _group;
    private readonly long _size;
    private readonly Scalar _scale; // a field, so that it outlives the product

    public Attention(WeightSource source, ModelConfig config)
        : base(nameof(Attention))
    {
        _keyHeads = config.NumKeyValueHeads;
        _group = config.NumAttentionHeads / config.NumKeyValueHeads;
        _size = config.HeadSize;
        _scale = Math.Pow(_size, -0.5);
        var (queries, keys) = (_keyHeads * _group * _size, _keyHeads * _size);
        q_proj = Input(nameof(q_proj), queries);
        k_proj = Input(nameof(k_proj), keys);
        v_proj = Input(nameof(v_proj), keys);
        o_proj = new Projection(source.In(nameof(o_proj)), config.HiddenSize, queries, Decoder.ResidualDeviation(config), config.AttentionBias);
        if (config.HasQueryKeyNorm)
        {
            q_norm = new RmsNorm(source.In(nameof(q_norm)), _size, config.RmsNormEps);
            k_norm = new RmsNorm(source.In(nameof(k_norm)), _size, config.RmsNormEps);
        }

        RegisterComponents();

        Projection Input(string name, long outputs) =>
            new(source.In(name), outputs, config.HiddenSize, Decoder.Deviation, config.HasQueryKeyValueBias);
    }

    /// <remarks>Plain products: <c>scaled_dot_product_attention</c> is four times slower in bfloat16 on a CPU.</remarks>
    public Tensor Attend(Tensor x, Positions positions) // (B, T, C)
    {
        var (b, t) = (x.shape[0], x.shape[1]);
        var q = positions.Rotate(Normalise(q_norm, q_proj.Project(x).view(b, t, _keyHeads, _group, _size)).permute(0, 2, 3, 1, 4)); // (B, K, G, T, D)
        var k = positions.Rotate(Normalise(k_norm, k_proj.Project(x).view(b, t, _keyHeads, _size)).transpose(1, 2));                // (B, K, T, D)
        var v = v_proj.Project(x).view(b, t, _keyHeads, _size).transpose(1, 2);                                                     // (B, K, T, D)

        // A group shares its keys, so that its queries are rows of one product.
        var scores = q.mul(_scale).reshape(b, _keyHeads, _group * t, _size).matmul(k.transpose(-1, -2)); // (B, K, G T, T)
        var shares = scores.view(b, _keyHeads, _group, t, t).add(positions.Mask).softmax(-1);                           // (B, K, G, T, T)
        var read = shares.view(b, _keyHeads, _group * t, t).matmul(v);                                                  // (B, K, G T, D)
        return o_proj.Project(read.view(b, _keyHeads * _group, t, _size).transpose(1, 2).reshape(b, t, -1));            // (B, T, C)
    }

    /// <summary>In the precision of the norm, and back in that of the products.</summary>
    private static Tensor Normalise(RmsNorm? norm, Tensor x) => norm is null ? x : norm.Normalise(x.to(norm.weight.dtype)).to(x.dtype);
}
