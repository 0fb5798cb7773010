using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// What follows an int8 product on the residual stream. T rows, D columns: the product is multiplied by its rows' magnitudes, a bias and
/// the residual are added to it, and the sum is normalised (RMS) and quantised for the next product.
/// </summary>
internal unsafe struct AddNormQuantJob
{
    public float* Product; // (T, D)
    public float* Magnitudes; // (T)
    public float* Residual; // (T, D)
    public float* Weight; // (D)
    public float* Bias; // (D), or null
    public float* Sum; // (T, D)
    public byte* Quantised; // (T, D): the normalised sum
    public float* QuantisedMagnitudes; // (T)

    public int Rows;
    public int Columns;
    public float Epsilon;
    public KernelIsa Isa;
}

internal static unsafe class AddNormQuantKernel
{
    public static void Run(AddNormQuantJob* job, int begin, int end)
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

    /// <summary>
    /// The normalisation multiplies a whole row by one number, which cancels out in the bytes: they are those of sum · weight, and only
    /// the magnitude needs the number. So the row is read but once before it is quantised.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Row<S, V>(AddNormQuantJob* job, int row)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        var columns = job->Columns;
        var vectorised = columns & -S.Width;
        var first = (nint)row * columns;
        float* product = job->Product + first, residual = job->Residual + first, sum = job->Sum + first, weight = job->Weight, bias = job->Bias;
        var magnitude = job->Magnitudes[row];

        V squares = S.Broadcast(0f), largest = squares, scale = S.Broadcast(magnitude);
        for (var i = 0; i < vectorised; i += S.Width)
        {
            var x = S.MultiplyAdd(S.Load(product + i), scale, S.Load(residual + i));
            if (bias != null)
                x = S.Add(x, S.Load(bias + i));
            S.Store(x, sum + i);
            squares = S.MultiplyAdd(x, x, squares);
            largest = S.MaxMagnitude(largest, S.Multiply(x, S.Load(weight + i)));
        }

        float squareTail = 0, largestTail = 0;
        for (var i = vectorised; i < columns; i++)
        {
            var x = (product[i] * magnitude) + residual[i];
            if (bias != null)
                x += bias[i];
            sum[i] = x;
            squareTail += x * x;
            largestTail = ScalarSimd.MaxMagnitude(largestTail, x * weight[i]);
        }

        var weighted = RowQuantiser<S, V>.Largest(largest, largestTail);
        var target = job->Quantised + first;
        if (!RowQuantiser<S, V>.IsFinite(ref weighted, target, columns))
            return weighted;
        var step = RowQuantiser<S, V>.Scale(weighted);
        for (var i = 0; i < vectorised; i += S.Width)
            S.StoreOffsetBytes(S.Multiply(S.Multiply(S.Load(sum + i), S.Load(weight + i)), S.Broadcast(step)), target + i);
        for (var i = vectorised; i < columns; i++)
            ScalarSimd.StoreOffsetBytes(sum[i] * weight[i] * step, target + i);
        return weighted / MathF.Sqrt(((S.Sum(squares) + squareTail) / columns) + job->Epsilon);
    }
}
