using SaferGuard.Reasoning.Checkpoints;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>SwiGLU feed-forward.</summary>
internal sealed class Mlp : nn.Module
{
    private readonly Projection gate_proj;
    private readonly Projection up_proj;
    private readonly Projection down_proj;

    public Mlp(WeightSource source, ModelConfig config)
        : base(nameof(Mlp))
    {
        gate_proj = new Projection(source.In(nameof(gate_proj)), config.IntermediateSize, config.HiddenSize, Decoder.Deviation, config.MlpBias);
        up_proj = new Projection(source.In(nameof(up_proj)), config.IntermediateSize, config.HiddenSize, Decoder.Deviation, config.MlpBias);
        down_proj = new Projection(source.In(nameof(down_proj)), config.HiddenSize, config.IntermediateSize, Decoder.ResidualDeviation(config), config.MlpBias);
        RegisterComponents();
    }

    public Tensor Feed(Tensor x) => down_proj.Project(nn.functional.silu(gate_proj.Project(x)) * up_proj.Project(x)); // (B, T, C)
}

/// <summary>One decoder layer: attention and feed-forward, each normalised first and added to the residual stream.</summary>
internal sealed class Layer : nn.Module
{
    private readonly RmsNorm input_layernorm;
    private readonly Attention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly Mlp mlp;

    public Layer(WeightSource source, ModelConfig config)
        : base(nameof(Layer))
    {
        input_layernorm = new RmsNorm(source.In(nameof(input_layernorm)), config.HiddenSize, config.RmsNormEps);
        self_attn = new Attention(source.In(nameof(self_attn)), config);
        post_attention_layernorm = new RmsNorm(source.In(nameof(post_attention_layernorm)), config.HiddenSize, config.RmsNormEps);
        mlp = new Mlp(source.In(nameof(mlp)), config);
        RegisterComponents();
    }

    /// <param name="compute">Precision of the products; the residual stream keeps that of <paramref name="x"/>.</param>
    public Tensor Run(Tensor x, Positions positions, ScalarType compute) // (B, T, C)
    {
        // What the way back does not need is freed here, not at the end of the step.
        using var scope = NewDisposeScope();
        x = x + self_attn.Attend(input_layernorm.Normalise(x).to(compute), positions);
        return (x + mlp.Feed(post_attention_layernorm.Normalise(x).to(compute))).MoveToOuterDisposeScope();
    }
}
