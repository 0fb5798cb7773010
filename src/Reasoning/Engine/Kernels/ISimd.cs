namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// The vector operations that the kernels are written in, so that one text serves every instruction set. Implemented by empty structs:
/// the JIT compiles a kernel once per struct and inlines everything here.
/// </summary>
/// <typeparam name="V">A vector of <see cref="Width"/> floats.</typeparam>
internal unsafe interface ISimd<V> where V : unmanaged
{
    /// <summary>Floats in a vector: a power of two that divides 16.</summary>
    static abstract int Width { get; }

    static abstract V Load(float* source);

    static abstract void Store(V value, float* target);

    /// <summary>Asks for the cache line to be brought near.</summary>
    static abstract void Prefetch(float* source);

    static abstract V Broadcast(float value);

    static abstract V Add(V left, V right);

    static abstract V Subtract(V left, V right);

    static abstract V Multiply(V left, V right);

    static abstract V Divide(V left, V right);

    /// <summary><c>left · right + addend</c>, rounded once where the processor can.</summary>
    static abstract V MultiplyAdd(V left, V right, V addend);

    /// <summary>The larger of each pair; a NaN in <paramref name="candidate"/> is passed over.</summary>
    static abstract V Max(V candidate, V current);

    /// <summary>To the nearest integer, ties to even.</summary>
    static abstract V Round(V value);

    /// <summary><c>value · 2^exponent</c> for whole exponents from -126 to 0.</summary>
    static abstract V ScaleByPowerOfTwo(V value, V exponent);

    /// <summary>Zero where <paramref name="x"/> is under the limit; a NaN is not under it.</summary>
    static abstract V ZeroWhereUnder(V x, float limit, V value);

    static abstract float Sum(V value);

    static abstract float Max(V value);

    /// <summary>
    /// The larger magnitude of each pair, compared as the bits of the floats: exact, in any order, and with NaN above infinity.
    /// </summary>
    static abstract V MaxMagnitude(V left, V right);

    /// <summary>Rounds to nearest even, adds 128, and stores bytes. The rounded values must lie in -128…127.</summary>
    static abstract void StoreOffsetBytes(V value, byte* target);

    /// <summary>Rounds to bf16, to nearest even, and puts the one in the low and the other in the high bits; a NaN stays one.</summary>
    static abstract V PackBf16(V low, V high);

    /// <summary>The bf16 in the low bits.</summary>
    static abstract V LowBf16(V pairs);

    /// <summary>The bf16 in the high bits.</summary>
    static abstract V HighBf16(V pairs);
}
