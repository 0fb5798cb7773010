using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Exporter;

/// <summary>Rounds floats to 16 bits, to the nearest and halves to even.</summary>
internal static class HalfFloats
{
    /// <param name="type">Float16 or Bfloat16.</param>
    /// <returns>The bits.</returns>
    /// <exception cref="InvalidDataException">A finite number has no finite one near it in that type.</exception>
    public static ushort[] Round(ReadOnlySpan<float> data, DataType type)
    {
        var rounded = new ushort[data.Length];
        for (var i = 0; i < rounded.Length; i++)
        {
            rounded[i] = type == DataType.Float16 ? BitConverter.HalfToUInt16Bits((Half)data[i]) : Bfloat16(data[i]);
            if (float.IsFinite(data[i]) && !IsFinite(rounded[i], type))
                throw new InvalidDataException($"A weight is {data[i]}, which is too large for {type}: export with --weights bf16 or fp32.");
        }

        return rounded;
    }

    /// <summary>The upper half of a 32-bit float's bits.</summary>
    private static ushort Bfloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        const uint QuietNan = 0x0040;
        return float.IsNaN(value) ? (ushort)(bits >> 16 | QuietNan) : (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    private static bool IsFinite(ushort bits, DataType type)
    {
        var exponent = type == DataType.Float16 ? 0x7C00 : 0x7F80;
        return (bits & exponent) != exponent;
    }
}
