using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

internal static unsafe class VectorMath<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    // Under this, 2^(x·log2 e) leaves the normal floats.
    private const float ExpUnderflow = -87f;

    /// <summary>
    /// e^x for x ≤ 0 to about one unit in the last place (the polynomial of Cephes' expf); exactly 1 at 0 and exactly 0 under -87.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp(V x)
    {
        // x = n·ln 2 + r with |r| ≤ ½·ln 2; ln 2 in two parts, the first with few bits, keeps r exact.
        var n = S.Round(S.Multiply(x, S.Broadcast(1.44269504f)));
        var r = S.MultiplyAdd(n, S.Broadcast(-0.693359375f), x);
        r = S.MultiplyAdd(n, S.Broadcast(2.12194440e-4f), r);
        var p = S.Broadcast(1.9875691500e-4f);
        p = S.MultiplyAdd(p, r, S.Broadcast(1.3981999507e-3f));
        p = S.MultiplyAdd(p, r, S.Broadcast(8.3334519073e-3f));
        p = S.MultiplyAdd(p, r, S.Broadcast(4.1665795894e-2f));
        p = S.MultiplyAdd(p, r, S.Broadcast(1.6666665459e-1f));
        p = S.MultiplyAdd(p, r, S.Broadcast(5.0000001201e-1f));
        p = S.MultiplyAdd(p, S.Multiply(r, r), r);
        p = S.Add(p, S.Broadcast(1f));
        return S.ZeroWhereUnder(x, ExpUnderflow, S.ScaleByPowerOfTwo(p, n));
    }

    /// <summary><c>x / (1 + e^-x)</c>, with no power that overflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Silu(V x)
    {
        // e^-x above zero, and e^x, which turns the fraction round, under it.
        V one = S.Broadcast(1f), e = Exp(S.Subtract(S.Broadcast(0f), S.MaxMagnitude(x, x)));
        var numerator = S.Add(e, S.ZeroWhereUnder(x, 0f, S.Subtract(one, e)));
        return S.Divide(S.Multiply(x, numerator), S.Add(one, e));
    }
}
