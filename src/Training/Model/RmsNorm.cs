using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>Root-mean-square normalisation over the last dimension.</summary>
internal sealed class RmsNorm : nn.Module
{
    public readonly Parameter weight;

    // A field, because TorchSharp does not keep a passing Scalar alive: its finaliser may run before the product does.
    private readonly Scalar _epsilon;

    public RmsNorm(WeightSource source, long size, double epsilon)
        : base(nameof(RmsNorm))
    {
        _epsilon = epsilon;
        weight = source.Vector(nameof(weight), size, 1);
        RegisterComponents();
    }

    public Tensor Normalise(Tensor x) => x * rsqrt((x * x).mean([-1], keepdim: true) + _epsilon) * weight;
}
