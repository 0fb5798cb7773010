using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// How a head's vector lies in the cache. Its elements come in pairs, one of the first half and the one of the second half that rotary
/// positions turn it against, so that a vector of pairs is two vectors of elements in any format.
/// </summary>
internal unsafe interface ICacheCells
{
    /// <summary>Floats that a pair takes: the cache's last dimension is this times half the head size.</summary>
    static abstract int FloatsPerPair { get; }

    /// <summary>Turns a head's vector into cells and returns where they lie: in <paramref name="cells"/>, or where they were.</summary>
    static abstract float* Pack<S, V>(float* vector, int headSize, float* cells)
        where S : struct, ISimd<V>
        where V : unmanaged;

    /// <summary>Loads pairs.</summary>
    /// <param name="first">The cells of their first elements.</param>
    /// <param name="half">From there to the cells of their second elements, where those are apart.</param>
    static abstract void Load<S, V>(float* first, nint half, out V low, out V high)
        where S : struct, ISimd<V>
        where V : unmanaged;

    /// <summary>Brings what <see cref="Load"/> will read near.</summary>
    static abstract void Prefetch<S, V>(float* first, nint half)
        where S : struct, ISimd<V>
        where V : unmanaged;
}

/// <summary>A float each, in the order of the head.</summary>
internal readonly unsafe struct Fp32Cells : ICacheCells
{
    public static int FloatsPerPair => 2;

    public static float* Pack<S, V>(float* vector, int headSize, float* cells)
        where S : struct, ISimd<V>
        where V : unmanaged => vector;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<S, V>(float* first, nint half, out V low, out V high)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        low = S.Load(first);
        high = S.Load(first + half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch<S, V>(float* first, nint half)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        S.Prefetch(first);
        S.Prefetch(first + half);
    }
}

/// <summary>A pair's two bf16 in one float: the first element in the low bits, the second in the high ones.</summary>
internal readonly unsafe struct Bf16Cells : ICacheCells
{
    public static int FloatsPerPair => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Pack<S, V>(float* vector, int headSize, float* cells)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int half = headSize / 2, i = 0;
        for (; i + S.Width <= half; i += S.Width)
            S.Store(S.PackBf16(S.Load(vector + i), S.Load(vector + half + i)), cells + i);
        for (; i < half; i++)
            cells[i] = ScalarSimd.PackBf16(vector[i], vector[half + i]);
        return cells;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<S, V>(float* first, nint half, out V low, out V high)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        var pairs = S.Load(first);
        low = S.LowBf16(pairs);
        high = S.HighBf16(pairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch<S, V>(float* first, nint half)
        where S : struct, ISimd<V>
        where V : unmanaged => S.Prefetch(first);
}
