using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// What stands between the two int8 products of a feed-forward block. T rows, F columns: the gates and the others are multiplied by their
/// rows' magnitudes, a bias is added, and <c>silu(gate) · up</c> is quantised for the next product.
/// </summary>
internal unsafe struct SwiGluQuantJob
{
    public const int MaxColumns = 1 << 15; // a row lies on the stack

    public float* Product; // (T, 2·F): gates, then the others
    public float* Magnitudes; // (T)
    public float* Bias; // (2·F), or null
    public byte* Quantised; // (T, F)
    public float* QuantisedMagnitudes; // (T)

    public int Rows;
    public int Columns;
    public KernelIsa Isa;
}

internal static unsafe class SwiGluQuantKernel
{
    public static void Run(SwiGluQuantJob* job, int begin, int end)
    {
        for (var row = begin; row < end; row++)
        {
            job->QuantisedMagnitudes[row] = job->Isa switch
            {
                KernelIsa.Avx512 => Row<Avx512Simd, Vector512<float>>(job, row),
                KernelIsa.Avx2 => Row<Avx2Simd, Vector256<float>>(job, row),
                _ => Row<ScalarSimd, float>(job, row),
            };
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Row<S, V>(SwiGluQuantJob* job, int row)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        var columns = job->Columns;
        var vectorised = columns & -S.Width;
        var inner = stackalloc float[columns];
        float* gates = job->Product + (2 * (nint)row * columns), ups = gates + columns;
        var magnitude = job->Magnitudes[row];

        V largest = S.Broadcast(0f), scale = S.Broadcast(magnitude);
        for (var i = 0; i < vectorised; i += S.Width)
        {
            V gate = S.Multiply(S.Load(gates + i), scale), up = S.Multiply(S.Load(ups + i), scale);
            if (job->Bias != null)
            {
                gate = S.Add(gate, S.Load(job->Bias + i));
                up = S.Add(up, S.Load(job->Bias + columns + i));
            }

            var x = S.Multiply(VectorMath<S, V>.Silu(gate), up);
            S.Store(x, inner + i);
            largest = S.MaxMagnitude(largest, x);
        }

        var tail = 0f;
        for (var i = vectorised; i < columns; i++)
        {
            float gate = gates[i] * magnitude, up = ups[i] * magnitude;
            if (job->Bias != null)
            {
                gate += job->Bias[i];
                up += job->Bias[columns + i];
            }

            inner[i] = VectorMath<ScalarSimd, float>.Silu(gate) * up;
            tail = ScalarSimd.MaxMagnitude(tail, inner[i]);
        }

        return RowQuantiser<S, V>.Quantise(inner, columns, RowQuantiser<S, V>.Largest(largest, tail), job->Quantised + ((nint)row * columns));
    }
}
