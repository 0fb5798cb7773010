using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// One unit of queries against one key-value head. Its rows are (query, head of the group) in that order. Keys are taken in blocks
/// that begin at multiples of <see cref="KeyBlock"/> positions, and each row carries a running maximum, sum and mix of values from
/// block to block (online softmax), so the memory needed does not grow with the context and all of it lies on the stack.
/// </summary>
internal static unsafe class AttentionUnit<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    private const int KeyBlock = PagedAttentionKernel.KeyBlockTokens;
    private const int KeyBlockTiles = KeyBlock / PagedAttentionJob.TileTokens;
    private const int RowBlock = 4; // their sums are enough to keep the multipliers busy
    private const int CacheLineFloats = 16;

    private struct Rows
    {
        public float* Queries; // (rows, D): rotated and scaled
        public float* Mixes; // (rows, D): values weighted by e^(score - peak)
        public float* Peaks; // (rows): the highest score so far
        public float* Totals; // (rows): the sum of the weights
        public float* Scores; // (RowBlock, KeyBlock)
        public int GroupHeads;
        public int HeadSize;
        public int FirstPosition;
    }

    private struct Keys
    {
        // Those of the block, then those of the next one, which are fetched from memory meanwhile.
        public float** Tiles; // (2, KeyBlockTiles): keys (W, 16)
        public float** Values; // (2, KeyBlockTiles): values (16, W)
        public int FirstPosition;
    }

    public static void Attend(PagedAttentionJob* job, int unit)
    {
        if (job->CacheFormat == KvCacheFormat.Bf16)
            Attend<Bf16Cells>(job, unit);
        else
            Attend<Fp32Cells>(job, unit);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend<C>(PagedAttentionJob* job, int unit)
        where C : struct, ICacheCells
    {
        var (sequence, kvHead, begin, end) = job->Unit(unit);
        int group = job->GroupHeads, headSize = job->HeadSize, count = (end - begin) * group;
        var memory = stackalloc float[(2 * count * headSize) + (RowBlock * KeyBlock) + (2 * count) + CacheLineFloats];
        var tiles = stackalloc float*[4 * KeyBlockTiles];
        Rows rows;
        rows.Scores = (float*)(((nint)memory + 63) & ~63);
        rows.Queries = rows.Scores + (RowBlock * KeyBlock);
        rows.Mixes = rows.Queries + (count * headSize);
        rows.Peaks = rows.Mixes + (count * headSize);
        rows.Totals = rows.Peaks + count;
        rows.GroupHeads = group;
        rows.HeadSize = headSize;
        rows.FirstPosition = job->PastLens[sequence] + begin - job->CuSeqlens[sequence];
        Load(job, ref rows, begin, kvHead, count);

        Keys keys;
        keys.Tiles = tiles;
        keys.Values = tiles + (2 * KeyBlockTiles);
        var contextEnd = rows.FirstPosition + end - begin;
        for (keys.FirstPosition = 0; keys.FirstPosition < contextEnd; keys.FirstPosition += KeyBlock)
        {
            for (var tile = 0; tile < 2 * KeyBlockTiles; tile++)
            {
                var position = keys.FirstPosition + (tile * PagedAttentionJob.TileTokens);
                if (position >= contextEnd)
                    position = keys.FirstPosition; // nothing to fetch
                var offset = job->CacheOffset(sequence, kvHead, position) + (position % job->BlockSize * job->CacheWidth);
                keys.Tiles[tile] = job->KeyCache + offset;
                keys.Values[tile] = job->ValueCache + offset;
            }

            for (var row = 0; row < count; row += RowBlock)
            {
                switch (count - row)
                {
                    case 1:
                        Step<OneRow, C>(ref rows, ref keys, row);
                        break;
                    case 2:
                        Step<TwoRows, C>(ref rows, ref keys, row);
                        break;
                    case 3:
                        Step<ThreeRows, C>(ref rows, ref keys, row);
                        break;
                    default:
                        Step<FourRows, C>(ref rows, ref keys, row);
                        break;
                }
            }
        }

        Store(job, ref rows, begin, kvHead, count);
    }

    /// <summary>Takes the queries, and starts their rows at nothing seen.</summary>
    [SkipLocalsInit]
    private static void Load(PagedAttentionJob* job, ref Rows rows, int begin, int kvHead, int count)
    {
        var scratch = stackalloc float[PagedAttentionJob.MaxHeadSize];
        for (var row = 0; row < count; row++)
        {
            int query = row / rows.GroupHeads, head = (kvHead * rows.GroupHeads) + (row % rows.GroupHeads);
            var source = PackedHeads<S, V>.Load(job, begin + query, head, job->QueryNorm, scratch);
            RotaryPositions<S, V>.Rotate(job, source, rows.FirstPosition + query, job->Scale, rows.Queries + (row * rows.HeadSize));
            rows.Peaks[row] = float.NegativeInfinity;
            rows.Totals[row] = 0;
        }

        new Span<float>(rows.Mixes, count * rows.HeadSize).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(PagedAttentionJob* job, ref Rows rows, int begin, int kvHead, int count)
    {
        for (var row = 0; row < count; row++)
        {
            int query = row / rows.GroupHeads, head = (kvHead * rows.GroupHeads) + (row % rows.GroupHeads);
            var target = job->Output + ((((nint)begin + query) * job->Heads) + head) * rows.HeadSize;
            var mix = rows.Mixes + (row * rows.HeadSize);
            var share = 1f / rows.Totals[row];
            var d = 0;
            for (; d + S.Width <= rows.HeadSize; d += S.Width)
                S.Store(S.Multiply(S.Load(mix + d), S.Broadcast(share)), target + d);
            for (; d < rows.HeadSize; d++)
                target[d] = mix[d] * share;
        }
    }

    /// <summary>Takes a block of rows over a block of keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Step<R, C>(ref Rows rows, ref Keys keys, int row)
        where R : struct, IRowCount
        where C : struct, ICacheCells
    {
        var most = Visible(ref rows, ref keys, row + R.Count - 1);
        if (most == 0)
            return;
        var headSize = rows.HeadSize;
        var mixes = rows.Mixes + (row * headSize);
        AttentionLoops<S, V, R, C>.Score(rows.Queries + (row * headSize), headSize, keys.Tiles, most, rows.Scores);

        var decays = stackalloc float[RowBlock];
        for (var r = 0; r < R.Count; r++)
        {
            var seen = Visible(ref rows, ref keys, row + r);
            decays[r] = OnlineSoftmax<S, V>.Advance(rows.Scores + (r * KeyBlock), seen, ref rows.Peaks[row + r], ref rows.Totals[row + r]);
        }

        // The rows of later queries see more tokens. What all see is mixed together, the rest row by row: each row's order is the same.
        var least = Visible(ref rows, ref keys, row);
        Mix<R, C>(rows.Scores, decays, keys.Values, 0, least, headSize, mixes);
        var one = 1f;
        for (var r = 1; r < R.Count; r++)
        {
            var seen = Visible(ref rows, ref keys, row + r);
            if (seen > least)
                Mix<OneRow, C>(rows.Scores + (r * KeyBlock), &one, keys.Values, least, seen, headSize, mixes + (r * headSize));
        }
    }

    /// <summary>How many tokens of the key block a row sees: those up to its own position.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Visible(ref Rows rows, ref Keys keys, int row) =>
        Math.Clamp(rows.FirstPosition + (row / rows.GroupHeads) + 1 - keys.FirstPosition, 0, KeyBlock);

    /// <summary>Mixes with the widest vectors that fit, and what is left of the head with narrower ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix<R, C>(float* weights, float* decays, float** values, int begin, int end, int headSize, float* mixes)
        where R : struct, IRowCount
        where C : struct, ICacheCells
    {
        var done = AttentionLoops<S, V, R, C>.Mix(weights, decays, values, begin, end, headSize, 0, mixes);
        if (S.Width > Avx2Simd.Width && done < headSize / 2)
            done = AttentionLoops<Avx2Simd, Vector256<float>, R, C>.Mix(weights, decays, values, begin, end, headSize, done, mixes);
        if (done < headSize / 2)
            AttentionLoops<ScalarSimd, float, R, C>.Mix(weights, decays, values, begin, end, headSize, done, mixes);
    }
}
