using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>Root-mean-square normalisation over the last dimension.</summary>
internal sealed class RmsNorm : nn.Module
{
    public readonly Parameter weight;

    private readonly Scalar _epsilon; // a field, so that it outlives the product: see NativeTemporaries

    public RmsNorm(WeightSource source, long size, double epsilon)
        : base(nameof(RmsNorm))
    {
        _epsilon = epsilon;
        weight = source.Vector(nameof(weight), size, 1);
        RegisterComponents();
    }

    public Tensor Normalise(Tensor x) => x * rsqrt((x * x).mean([-1], keepdim: true) + _epsilon) * weight;
}
