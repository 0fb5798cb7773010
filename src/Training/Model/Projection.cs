using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>
/// A linear map. The checkpoint holds its weight as (outputs, inputs). Once adapted, its own values are frozen and a product of two thin
/// matrices is trained beside them, which carry PEFT's names.
/// </summary>
internal sealed class Projection : nn.Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private Projection? lora_A; // (rank, inputs)
    private Projection? lora_B; // (outputs, rank)

    private double _dropout;
    private Scalar? _scale; // a field, so that it outlives the product

    /// <param name="deviation">Standard deviation of the initial values.</param>
    public Projection(WeightSource source, long outputs, long inputs, double deviation, bool hasBias = false)
        : base(nameof(Projection))
    {
        weight = source.Matrix(nameof(weight), outputs, inputs, deviation);
        if (hasBias) bias = source.Vector(nameof(bias), outputs, 0);
        RegisterComponents();
    }

    /// <summary>Weights stay in their own precision; the product is computed in that of <paramref name="input"/>.</summary>
    public Tensor Project(Tensor input)
    {
        var output = nn.functional.linear(input, weight.to(input.dtype), bias?.to(input.dtype));
        return lora_A is null || lora_B is null
            ? output
            : output + lora_B.Project(lora_A.Project(nn.functional.dropout(input, _dropout, training))).mul(_scale!);
    }

    /// <summary>Starts as what it was: one of the two matrices is zero.</summary>
    public void Adapt(LoraOptions lora)
    {
        var (outputs, inputs) = (weight.shape[0], weight.shape[1]);
        (_dropout, _scale) = (lora.Dropout, lora.Scale);
        lora_A = new Projection(WeightSource.Chance, lora.Rank, inputs, 1 / Math.Sqrt(3 * inputs)); // as much variance as PEFT gives it
        lora_B = new Projection(WeightSource.Chance, outputs, lora.Rank, 0);
        register_module(nameof(lora_A), lora_A);
        register_module(nameof(lora_B), lora_B);
    }

    /// <summary>The weight of the unadapted map that does the same, in 32 bits.</summary>
    public Tensor Merged()
    {
        var own = weight.to(ScalarType.Float32);
        return lora_A is null || lora_B is null ? own : own + lora_B.weight.matmul(lora_A.weight).mul(_scale!);
    }
}
