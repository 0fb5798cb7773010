using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

internal static unsafe class CacheWriter<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    public static void Write(PagedAttentionJob* job, int begin, int end)
    {
        if (job->CacheFormat == KvCacheFormat.Bf16)
            Write<Bf16Cells>(job, begin, end);
        else
            Write<Fp32Cells>(job, begin, end);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Write<C>(PagedAttentionJob* job, int begin, int end)
        where C : struct, ICacheCells
    {
        int headSize = job->HeadSize, width = job->CacheWidth, kvHeads = job->KvHeads;
        var scratch = stackalloc float[PagedAttentionJob.MaxHeadSize];
        var rotated = stackalloc float[PagedAttentionJob.MaxHeadSize];
        var packed = stackalloc float[PagedAttentionJob.MaxHeadSize];
        var sequence = 0;
        for (var token = begin; token < end; token++)
        {
            while (token >= job->CuSeqlens[sequence + 1])
                sequence++;
            var position = job->PastLens[sequence] + token - job->CuSeqlens[sequence];
            var inBlock = position % job->BlockSize;
            var lane = inBlock % PagedAttentionJob.TileTokens;
            for (var head = 0; head < kvHeads; head++)
            {
                var offset = job->CacheOffset(sequence, head, position);
                var vector = PackedHeads<S, V>.Load(job, token, job->Heads + head, job->KeyNorm, scratch);
                RotaryPositions<S, V>.Rotate(job, vector, position, 1f, rotated);
                var key = C.Pack<S, V>(rotated, headSize, packed);
                var tile = job->KeyCache + offset + ((inBlock - lane) * width) + lane;
                for (var i = 0; i < width; i++)
                    tile[i * PagedAttentionJob.TileTokens] = key[i];
                vector = PackedHeads<S, V>.Load(job, token, job->Heads + kvHeads + head, null, scratch);
                var value = C.Pack<S, V>(vector, headSize, packed);
                new ReadOnlySpan<float>(value, width).CopyTo(new Span<float>(job->ValueCache + offset + (inBlock * width), width));
            }
        }
    }
}
