using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>A linear map without bias. The checkpoint holds its weight as (outputs, inputs).</summary>
internal sealed class Projection : nn.Module
{
    private readonly Parameter weight;

    /// <param name="deviation">Standard deviation of the initial values.</param>
    public Projection(long outputs, long inputs, double deviation)
        : base(nameof(Projection))
    {
        weight = new Parameter(randn(outputs, inputs).mul_(deviation));
        RegisterComponents();
    }

    /// <summary>Master weights stay in their own precision; the product is computed in that of <paramref name="input"/>.</summary>
    public Tensor Project(Tensor input) => nn.functional.linear(input, weight.to(input.dtype));
}
