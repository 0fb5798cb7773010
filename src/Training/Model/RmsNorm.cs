using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>Root-mean-square normalisation over the last dimension.</summary>
internal sealed class RmsNorm : nn.Module
{
    public readonly Parameter weight;

    private readonly double _epsilon;

    public RmsNorm(long size, double epsilon)
        : base(nameof(RmsNorm))
    {
        _epsilon = epsilon;
        weight = new Parameter(ones(size));
        RegisterComponents();
    }

    public Tensor Normalise(Tensor x) => x * rsqrt(x.square().mean([-1], keepdim: true) + _epsilon) * weight;
}
