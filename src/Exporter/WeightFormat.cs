using SaferGuard.Reasoning.Engine;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Exporter;

/// <summary>The format of a bundle's weights, as <c>--weights</c> and the manifest name it.</summary>
internal enum WeightFormat
{
    /// <summary>32-bit floats.</summary>
    Fp32,

    /// <summary>Linears in 8 bits with a scale per output channel, times activations in 8 bits with a scale per token.</summary>
    Int8,

    /// <summary>Linears in 4 bits with a scale per 32 weights.</summary>
    Int4,

    /// <summary>For CUDA: weights, activations and cache in 16-bit floats.</summary>
    Fp16,

    /// <summary>For CUDA: weights, activations and cache in 16-bit floats with the range of 32-bit ones.</summary>
    Bf16,
}

internal static class WeightFormats
{
    /// <summary>The device that a graph of the format is for.</summary>
    public static Device Device(this WeightFormat format) =>
        format is WeightFormat.Fp16 or WeightFormat.Bf16 ? Reasoning.Engine.Device.Cuda : Reasoning.Engine.Device.Cpu;

    /// <summary>Whether a graph of the format computes what the model computes; what 8 and 4 bits cost is for the reader to judge.</summary>
    public static bool Accepts(this WeightFormat format, ParityReport report) => format switch
    {
        WeightFormat.Fp32 => report.IsExact,
        WeightFormat.Fp16 or WeightFormat.Bf16 => report.IsNear,
        _ => true,
    };

    /// <summary>The type of everything in the graph that is a float.</summary>
    public static DataType Floats(this WeightFormat format) => format switch
    {
        WeightFormat.Fp16 => DataType.Float16,
        WeightFormat.Bf16 => DataType.Bfloat16,
        _ => DataType.Float,
    };
}
