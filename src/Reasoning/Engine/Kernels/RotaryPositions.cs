using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

internal static unsafe class RotaryPositions<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    /// <summary>Rotates one head's vector, the first half against the second, to its position and scales it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rotate(PagedAttentionJob* job, float* source, int position, float scale, float* target)
    {
        var half = job->HeadSize / 2;
        var cos = job->Cos + ((nint)position * half);
        var sin = job->Sin + ((nint)position * half);
        var i = 0;
        for (; i + S.Width <= half; i += S.Width)
        {
            V x = S.Load(source + i), y = S.Load(source + half + i), c = S.Load(cos + i), s = S.Load(sin + i);
            S.Store(S.Multiply(S.Subtract(S.Multiply(x, c), S.Multiply(y, s)), S.Broadcast(scale)), target + i);
            S.Store(S.Multiply(S.Add(S.Multiply(y, c), S.Multiply(x, s)), S.Broadcast(scale)), target + half + i);
        }

        for (; i < half; i++)
        {
            float x = source[i], y = source[half + i], c = cos[i], s = sin[i];
            target[i] = ((x * c) - (y * s)) * scale;
            target[half + i] = ((y * c) + (x * s)) * scale;
        }
    }
}
