using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// Quantises rows of floats to bytes, each by its own largest magnitude: <c>q = round(x · 127 / m) + 128</c>. All instruction sets
/// give the same bytes. A row with a NaN or an infinity becomes zeros (128) with m = NaN: what is computed from it is then NaN
/// too, never a plausible number.
/// </summary>
internal static unsafe class RowQuantKernel
{
    /// <param name="x">(rows, columns)</param>
    /// <param name="quantised">(rows, columns)</param>
    /// <param name="magnitudes">(rows): m</param>
    public static void Quantise(KernelIsa isa, float* x, int begin, int end, int columns, byte* quantised, float* magnitudes)
    {
        for (var row = begin; row < end; row++)
        {
            var source = x + ((nint)row * columns);
            var target = quantised + ((nint)row * columns);
            magnitudes[row] = isa switch
            {
                KernelIsa.Avx512 => RowQuantiser<Avx512Simd, Vector512<float>>.Quantise(source, columns, target),
                KernelIsa.Avx2 => RowQuantiser<Avx2Simd, Vector256<float>>.Quantise(source, columns, target),
                _ => RowQuantiser<ScalarSimd, float>.Quantise(source, columns, target),
            };
        }
    }
}

internal static unsafe class RowQuantiser<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    // A row of zeros, or nearly, is divided by this: 127 / m stays finite.
    private const float LeastMagnitude = 1e-12f;
    private const float Steps = 127f;
    private const byte Zero = 128;

    /// <summary>Quantises a row and returns its largest magnitude.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Quantise(float* x, int columns, byte* target)
    {
        var vectorised = columns & -S.Width;
        var largest = S.Broadcast(0f);
        for (var i = 0; i < vectorised; i += S.Width)
            largest = S.MaxMagnitude(largest, S.Load(x + i));
        var tail = 0f;
        for (var i = vectorised; i < columns; i++)
            tail = ScalarSimd.MaxMagnitude(tail, x[i]);
        return Quantise(x, columns, Largest(largest, tail), target);
    }

    /// <summary>Quantises a row whose largest magnitude is known, and returns that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Quantise(float* x, int columns, float magnitude, byte* target)
    {
        if (!IsFinite(ref magnitude, target, columns))
            return magnitude;
        var vectorised = columns & -S.Width;
        var scale = Scale(magnitude);
        for (var i = 0; i < vectorised; i += S.Width)
            S.StoreOffsetBytes(S.Multiply(S.Load(x + i), S.Broadcast(scale)), target + i);
        for (var i = vectorised; i < columns; i++)
            ScalarSimd.StoreOffsetBytes(x[i] * scale, target + i);
        return magnitude;
    }

    /// <summary>The largest magnitude of a row from those of its lanes and of what was left over.</summary>
    public static float Largest(V lanes, float tail)
    {
        var spread = stackalloc float[PagedAttentionJob.TileTokens];
        S.Store(lanes, spread);
        var largest = ScalarSimd.MaxMagnitude(tail, LeastMagnitude);
        for (var i = 0; i < S.Width; i++)
            largest = ScalarSimd.MaxMagnitude(largest, spread[i]);
        return largest;
    }

    /// <summary>If it is not finite, makes the row zeros and the magnitude NaN.</summary>
    public static bool IsFinite(ref float magnitude, byte* target, int columns)
    {
        if (float.IsFinite(magnitude))
            return true;
        new Span<byte>(target, columns).Fill(Zero);
        magnitude = float.NaN;
        return false;
    }

    /// <summary>What a row is multiplied by before it is rounded.</summary>
    public static float Scale(float magnitude) => Steps / magnitude;
}
