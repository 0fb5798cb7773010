using System.Runtime.Intrinsics;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// Paged attention with rotary positions, in two phases: all new keys and values go to the cache, then each unit of queries attends.
/// A job must have been validated. Both phases may be split over threads at will: every (query, head) is computed by the same
/// operations in the same order whatever else is in the batch or the unit, so a batch, a chunk and a single token agree bitwise.
/// </summary>
internal static unsafe class PagedAttentionKernel
{
    /// <summary>Keys are taken this many at a time, so that they stay in the first-level cache for all rows of a unit.</summary>
    public const int KeyBlockTokens = 64;

    /// <summary>Writes the keys, rotated, and the values of new tokens to the cache.</summary>
    public static void WriteCache(PagedAttentionJob* job, int begin, int end)
    {
        switch (job->Isa)
        {
            case KernelIsa.Avx512:
                CacheWriter<Avx512Simd, Vector512<float>>.Write(job, begin, end);
                break;
            case KernelIsa.Avx2:
                CacheWriter<Avx2Simd, Vector256<float>>.Write(job, begin, end);
                break;
            default:
                CacheWriter<ScalarSimd, float>.Write(job, begin, end);
                break;
        }
    }

    /// <summary>Computes the output rows of one unit of <see cref="PagedAttentionJob.Units"/>.</summary>
    public static void Attend(PagedAttentionJob* job, int unit)
    {
        switch (job->Isa)
        {
            case KernelIsa.Avx512:
                AttentionUnit<Avx512Simd, Vector512<float>>.Attend(job, unit);
                break;
            case KernelIsa.Avx2:
                AttentionUnit<Avx2Simd, Vector256<float>>.Attend(job, unit);
                break;
            default:
                AttentionUnit<ScalarSimd, float>.Attend(job, unit);
                break;
        }
    }
}
