using SaferGuard.Reasoning.Checkpoints;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>What every layer's attention needs to know of positions: the angles of RoPE and the causal mask, for T tokens from position 0.</summary>
internal sealed class Positions
{
    private readonly Tensor _cos; // (T, D)
    private readonly Tensor _sin; // (T, D)
    private readonly long _half;

    public Positions(long tokens, ModelConfig config, ScalarType type)
    {
        _half = config.HeadSize / 2;
        var angles = outer(arange(tokens, ScalarType.Float64), tensor(RotaryFrequencies.Of(config))).repeat(1, 2); // (T, D)
        _cos = angles.cos().to(type);
        _sin = angles.sin().to(type);
        Mask = full(tokens, tokens, double.NegativeInfinity, type).triu(1);                                         // (T, T)
    }

    /// <summary>Added to scores: minus infinity where a key lies after the query.</summary>
    public Tensor Mask { get; }

    /// <summary>Hugging Face's convention: element i is rotated with element i + D / 2.</summary>
    public Tensor Rotate(Tensor x) // (..., T, D)
    {
        var (first, second) = (x.narrow(-1, 0, _half), x.narrow(-1, _half, _half));
        return x * _cos + cat([-second, first], -1) * _sin;
    }
}
