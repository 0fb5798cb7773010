using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

internal static unsafe class CacheWriter<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(PagedAttentionJob* job, int begin, int end)
    {
        int headSize = job->HeadSize, heads = job->Heads, kvHeads = job->KvHeads;
        var rotated = stackalloc float[PagedAttentionJob.MaxHeadSize];
        var sequence = 0;
        for (var token = begin; token < end; token++)
        {
            while (token >= job->CuSeqlens[sequence + 1])
                sequence++;
            var position = job->PastLens[sequence] + token - job->CuSeqlens[sequence];
            var inBlock = position % job->BlockSize;
            var lane = inBlock % PagedAttentionJob.TileTokens;
            var keys = job->Qkv + (((nint)token * (heads + (2 * kvHeads))) + heads) * headSize;
            var values = keys + ((nint)kvHeads * headSize);
            for (var head = 0; head < kvHeads; head++)
            {
                var offset = job->CacheOffset(sequence, head, position);
                RotaryPositions<S, V>.Rotate(job, keys + (head * headSize), position, 1f, rotated);
                var tile = job->KeyCache + offset + ((inBlock - lane) * headSize) + lane;
                for (var d = 0; d < headSize; d++)
                    tile[d * PagedAttentionJob.TileTokens] = rotated[d];
                var value = new ReadOnlySpan<float>(values + (head * headSize), headSize);
                value.CopyTo(new Span<float>(job->ValueCache + offset + (inBlock * headSize), headSize));
            }
        }
    }
}
