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
    // A row of zeros, or nearly, is divided by this: 127 / m stays finite.
    private const float LeastMagnitude = 1e-12f;
    private const byte Zero = 128;

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
                KernelIsa.Avx512 => Row<Avx512Simd, Vector512<float>>(source, columns, target),
                KernelIsa.Avx2 => Row<Avx2Simd, Vector256<float>>(source, columns, target),
                _ => Row<ScalarSimd, float>(source, columns, target),
            };
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Row<S, V>(float* x, int columns, byte* target)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        var vectorised = columns & -S.Width;
        var largest = S.Broadcast(LeastMagnitude);
        for (var i = 0; i < vectorised; i += S.Width)
            largest = S.MaxMagnitude(largest, S.Load(x + i));
        var lanes = stackalloc float[PagedAttentionJob.TileTokens];
        S.Store(largest, lanes);
        var magnitude = LeastMagnitude;
        for (var i = 0; i < S.Width; i++)
            magnitude = ScalarSimd.MaxMagnitude(magnitude, lanes[i]);
        for (var i = vectorised; i < columns; i++)
            magnitude = ScalarSimd.MaxMagnitude(magnitude, x[i]);

        if (!float.IsFinite(magnitude))
        {
            new Span<byte>(target, columns).Fill(Zero);
            return float.NaN;
        }

        var scale = 127f / magnitude;
        for (var i = 0; i < vectorised; i += S.Width)
            S.StoreOffsetBytes(S.Multiply(S.Load(x + i), S.Broadcast(scale)), target + i);
        for (var i = vectorised; i < columns; i++)
            ScalarSimd.StoreOffsetBytes(x[i] * scale, target + i);
        return magnitude;
    }
}
