namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>One float at a time; also the tail of the wider ones.</summary>
internal readonly unsafe struct ScalarSimd : ISimd<float>
{
    public static int Width => 1;

    public static float Load(float* source) => *source;

    public static void Store(float value, float* target) => *target = value;

    public static void Prefetch(float* source)
    {
        // Only a hint, and one that the vector instruction sets have.
    }

    public static float Broadcast(float value) => value;

    public static float Add(float left, float right) => left + right;

    public static float Subtract(float left, float right) => left - right;

    public static float Multiply(float left, float right) => left * right;

    public static float Divide(float left, float right) => left / right;

    // Not fused: without the instruction a fused one is a slow library call.
    public static float MultiplyAdd(float left, float right, float addend) => (left * right) + addend;

    public static float Max(float candidate, float current) => candidate > current ? candidate : current;

    public static float Round(float value) => MathF.Round(value);

    public static float ScaleByPowerOfTwo(float value, float exponent) =>
        value * BitConverter.Int32BitsToSingle(((int)exponent + 127) << 23);

    public static float ZeroWhereUnder(float x, float limit, float value) => x < limit ? 0 : value;

    public static float Sum(float value) => value;

    public static float Max(float value) => value;

    public static float MaxMagnitude(float left, float right) =>
        BitConverter.Int32BitsToSingle(Math.Max(MagnitudeBits(left), MagnitudeBits(right)));

    public static void StoreOffsetBytes(float value, byte* target) => *target = (byte)((int)MathF.Round(value) + 128);

    public static float PackBf16(float low, float high) =>
        BitConverter.UInt32BitsToSingle((Bf16Bits(low) >> 16) | (Bf16Bits(high) & 0xFFFF_0000));

    public static float LowBf16(float pairs) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(pairs) << 16);

    public static float HighBf16(float pairs) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(pairs) & 0xFFFF_0000);

    // In the upper half; what is left in the lower one does not count. Rounding would carry some NaNs over to zero.
    private static uint Bf16Bits(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? bits | 0x0040_0000 : bits + 0x7FFF + ((bits >> 16) & 1);
    }

    private static int MagnitudeBits(float value) => BitConverter.SingleToInt32Bits(value) & int.MaxValue;
}
