using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>How many rows the inner loops take together, known to the JIT: rows beyond the count are compiled away.</summary>
internal interface IRowCount
{
    static abstract int Count { get; }
}

internal readonly struct OneRow : IRowCount
{
    public static int Count => 1;
}

internal readonly struct TwoRows : IRowCount
{
    public static int Count => 2;
}

internal readonly struct ThreeRows : IRowCount
{
    public static int Count => 3;
}

internal readonly struct FourRows : IRowCount
{
    public static int Count => 4;
}

/// <summary>The two inner loops, over up to four rows at a time, so that a key or value is loaded once for all of them.</summary>
internal static unsafe class AttentionLoops<S, V, R, C>
    where S : struct, ISimd<V>
    where V : unmanaged
    where R : struct, IRowCount
    where C : struct, ICacheCells
{
    private const int Tile = PagedAttentionJob.TileTokens;
    private const int Following = PagedAttentionKernel.KeyBlockTokens / Tile; // tiles: those of a block of keys, then those of the next
    private const int RowStride = PagedAttentionKernel.KeyBlockTokens; // of scores and weights: (rows, RowStride)

    /// <summary>
    /// Scores whole tiles of keys up to <paramref name="count"/> tokens. The halves of a head add up apart, to hide latency.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Score(float* queries, int headSize, float** tiles, int count, float* scores)
    {
        var half = headSize / 2;
        float* q0 = queries, q1 = q0 + headSize, q2 = q1 + headSize, q3 = q2 + headSize;
        for (var token = 0; token < count; token += Tile)
        {
            float* tile = tiles[token / Tile], following = tiles[Following + (token / Tile)];
            for (var lane = 0; lane < Tile; lane += S.Width)
            {
                V a0 = S.Broadcast(0f), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
                var key = tile + lane;
                var ahead = following - tile;
                for (var d = 0; d < half; d++, key += Tile)
                {
                    C.Prefetch<S, V>(key + ahead, half * Tile);
                    C.Load<S, V>(key, half * Tile, out var low, out var high);
                    a0 = S.MultiplyAdd(low, S.Broadcast(q0[d]), a0);
                    b0 = S.MultiplyAdd(high, S.Broadcast(q0[half + d]), b0);
                    if (R.Count > 1)
                    {
                        a1 = S.MultiplyAdd(low, S.Broadcast(q1[d]), a1);
                        b1 = S.MultiplyAdd(high, S.Broadcast(q1[half + d]), b1);
                    }

                    if (R.Count > 2)
                    {
                        a2 = S.MultiplyAdd(low, S.Broadcast(q2[d]), a2);
                        b2 = S.MultiplyAdd(high, S.Broadcast(q2[half + d]), b2);
                    }

                    if (R.Count > 3)
                    {
                        a3 = S.MultiplyAdd(low, S.Broadcast(q3[d]), a3);
                        b3 = S.MultiplyAdd(high, S.Broadcast(q3[half + d]), b3);
                    }
                }

                var score = scores + token + lane;
                S.Store(S.Add(a0, b0), score);
                if (R.Count > 1)
                    S.Store(S.Add(a1, b1), score + RowStride);
                if (R.Count > 2)
                    S.Store(S.Add(a2, b2), score + (2 * RowStride));
                if (R.Count > 3)
                    S.Store(S.Add(a3, b3), score + (3 * RowStride));
            }
        }
    }

    /// <summary>
    /// Multiplies the rows' mixes by their decays and adds the values of tokens begin…end by weight, for the pairs of dimensions from
    /// <paramref name="first"/> on, a vector of pairs at a time; returns the first pair that is left over.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Mix(
        float* weights, float* decays, float** values, int begin, int end, int headSize, int first, float* mixes)
    {
        int half = headSize / 2, width = half * C.FloatsPerPair;
        var d = first;
        for (; d + S.Width <= half; d += S.Width)
        {
            float* m0 = mixes + d, m1 = m0 + headSize, m2 = m1 + headSize, m3 = m2 + headSize;
            V a0 = S.Broadcast(0f), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
            Take(m0, half, decays[0], out a0, out b0);
            if (R.Count > 1)
                Take(m1, half, decays[1], out a1, out b1);
            if (R.Count > 2)
                Take(m2, half, decays[2], out a2, out b2);
            if (R.Count > 3)
                Take(m3, half, decays[3], out a3, out b3);

            for (var token = begin; token < end;)
            {
                var tileEnd = Math.Min(end, (token & -Tile) + Tile);
                var value = values[token / Tile] + (token % Tile * width) + d;
                var ahead = values[Following + (token / Tile)] - values[token / Tile];
                for (; token < tileEnd; token++, value += width)
                {
                    C.Prefetch<S, V>(value + ahead, half);
                    C.Load<S, V>(value, half, out var low, out var high);
                    var weight = S.Broadcast(weights[token]);
                    a0 = S.MultiplyAdd(low, weight, a0);
                    b0 = S.MultiplyAdd(high, weight, b0);
                    if (R.Count > 1)
                    {
                        weight = S.Broadcast(weights[token + RowStride]);
                        a1 = S.MultiplyAdd(low, weight, a1);
                        b1 = S.MultiplyAdd(high, weight, b1);
                    }

                    if (R.Count > 2)
                    {
                        weight = S.Broadcast(weights[token + (2 * RowStride)]);
                        a2 = S.MultiplyAdd(low, weight, a2);
                        b2 = S.MultiplyAdd(high, weight, b2);
                    }

                    if (R.Count > 3)
                    {
                        weight = S.Broadcast(weights[token + (3 * RowStride)]);
                        a3 = S.MultiplyAdd(low, weight, a3);
                        b3 = S.MultiplyAdd(high, weight, b3);
                    }
                }
            }

            Put(m0, half, a0, b0);
            if (R.Count > 1)
                Put(m1, half, a1, b1);
            if (R.Count > 2)
                Put(m2, half, a2, b2);
            if (R.Count > 3)
                Put(m3, half, a3, b3);
        }

        return d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(float* mix, int half, float decay, out V low, out V high)
    {
        low = S.Multiply(S.Load(mix), S.Broadcast(decay));
        high = S.Multiply(S.Load(mix + half), S.Broadcast(decay));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* mix, int half, V low, V high)
    {
        S.Store(low, mix);
        S.Store(high, mix + half);
    }
}
