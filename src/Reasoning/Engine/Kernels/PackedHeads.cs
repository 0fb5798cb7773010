using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>Reads the heads of a job's packed queries, keys and values, finishing what the product before it left undone.</summary>
internal static unsafe class PackedHeads<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    /// <summary>
    /// The vector of one head of a token, in <paramref name="scratch"/> or where it lies: multiplied by its row's magnitude, with the
    /// bias added, and normalised by <paramref name="norm"/> (D), as far as there are any.
    /// </summary>
    /// <param name="head">Counted over queries, keys and values.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Load(PagedAttentionJob* job, int token, int head, float* norm, float* scratch)
    {
        var offset = (nint)head * job->HeadSize;
        var source = job->Qkv + ((nint)token * (job->Heads + (2 * job->KvHeads)) * job->HeadSize) + offset;
        if (job->Magnitudes == null)
            return source;
        Scale(source, job->Magnitudes[token], job->Bias == null ? null : job->Bias + offset, job->HeadSize, scratch);
        if (norm != null)
            Normalise(scratch, norm, job->HeadSize, job->NormEpsilon);
        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* source, float magnitude, float* bias, int count, float* target)
    {
        var i = 0;
        for (; i + S.Width <= count; i += S.Width)
        {
            var x = S.Multiply(S.Load(source + i), S.Broadcast(magnitude));
            S.Store(bias == null ? x : S.Add(x, S.Load(bias + i)), target + i);
        }

        for (; i < count; i++)
            target[i] = (source[i] * magnitude) + (bias == null ? 0 : bias[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(float* x, float* weight, int count, float epsilon)
    {
        var squares = S.Broadcast(0f);
        var i = 0;
        for (; i + S.Width <= count; i += S.Width)
            squares = S.MultiplyAdd(S.Load(x + i), S.Load(x + i), squares);
        var total = S.Sum(squares);
        for (; i < count; i++)
            total += x[i] * x[i];
        var scale = 1f / MathF.Sqrt((total / count) + epsilon);
        for (i = 0; i + S.Width <= count; i += S.Width)
            S.Store(S.Multiply(S.Multiply(S.Load(x + i), S.Broadcast(scale)), S.Load(weight + i)), x + i);
        for (; i < count; i++)
            x[i] = x[i] * scale * weight[i];
    }
}
