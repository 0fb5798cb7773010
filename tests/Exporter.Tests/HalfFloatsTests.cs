using CsCheck;
using static Onnx.TensorProto.Types;

namespace SaferGuard.Exporter.Tests;

public sealed class HalfFloatsTests
{
    [Theory]
    [InlineData(nameof(DataType.Float16), 1f + 1f / 2048, 0x3C00)] // halfway: to even, down
    [InlineData(nameof(DataType.Float16), 1f + 3f / 2048, 0x3C02)] // halfway: to even, up
    [InlineData(nameof(DataType.Bfloat16), 1f + 1f / 256, 0x3F80)]
    [InlineData(nameof(DataType.Bfloat16), 1f + 3f / 256, 0x3F82)]
    [InlineData(nameof(DataType.Bfloat16), -0f, 0x8000)]
    [InlineData(nameof(DataType.Bfloat16), float.PositiveInfinity, 0x7F80)]
    [InlineData(nameof(DataType.Float16), float.NegativeInfinity, 0xFC00)]
    public void Halves_round_to_even(string type, float value, int bits) =>
        Assert.Equal((ushort)bits, HalfFloats.Round([value], Enum.Parse<DataType>(type))[0]);

    [Fact]
    public void A_bfloat16_is_the_nearest_of_its_neighbours() => Gen.Float[-1e30f, 1e30f].Where(value => Math.Abs(value) > 1e-30f).Sample(value =>
    {
        var bits = HalfFloats.Round([value], DataType.Bfloat16)[0];
        var error = Math.Abs((double)Value(bits) - value);
        return error <= Math.Abs((double)Value((ushort)(bits + 1)) - value) && error <= Math.Abs((double)Value((ushort)(bits - 1)) - value);
    });

    [Fact]
    public void NaN_stays_NaN()
    {
        var least = BitConverter.UInt32BitsToSingle(0x7F800001); // its upper half alone would be infinity
        Assert.True(float.IsNaN(Value(HalfFloats.Round([least], DataType.Bfloat16)[0])));
        Assert.True(Half.IsNaN(BitConverter.UInt16BitsToHalf(HalfFloats.Round([float.NaN], DataType.Float16)[0])));
    }

    [Theory]
    [InlineData(nameof(DataType.Float16), 65_520f)]
    [InlineData(nameof(DataType.Bfloat16), float.MaxValue)]
    public void A_number_that_would_become_infinite_is_refused(string type, float value) =>
        Assert.Throws<InvalidDataException>(() => HalfFloats.Round([value], Enum.Parse<DataType>(type)));

    private static float Value(ushort bfloat16) => BitConverter.UInt32BitsToSingle((uint)bfloat16 << 16);
}
