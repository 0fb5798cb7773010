using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed record HeadShape(int Heads, int KvHeads, int HeadSize, int BlockSize)
{
    public int Packed => (Heads + (2 * KvHeads)) * HeadSize;
}

/// <summary>
/// Random sequences, the batch arrays of a step, and a cache whose blocks lie in random order. The cache starts as NaN, so that
/// reading what no one wrote shows.
/// </summary>
internal sealed unsafe class PagedBatch
{
    public const int Positions = 256;

    private static readonly float Unwritten = BitConverter.UInt32BitsToSingle(uint.MaxValue); // both of its halves are NaN too

    private readonly HeadShape shape;
    private readonly int[] cached;
    private readonly int[] blockOrder;
    private readonly int blocksEach;

    public PagedBatch(HeadShape shape, int[] lengths, int seed, KvCacheFormat cache = KvCacheFormat.Fp32)
    {
        this.shape = shape;
        Cache = cache;
        CacheWidth = cache == KvCacheFormat.Bf16 ? shape.HeadSize / 2 : shape.HeadSize;
        var random = new Random(seed);
        cached = new int[lengths.Length];
        Sequences = [.. lengths.Select(length => Floats(length * shape.Packed, () => (random.NextSingle() * 4) - 2))];
        Cos = Pinned<float>(Positions * shape.HeadSize / 2);
        Sin = Pinned<float>(Positions * shape.HeadSize / 2);
        for (var i = 0; i < Cos.Length; i++)
        {
            var (position, frequency) = (i / (shape.HeadSize / 2), i % (shape.HeadSize / 2));
            (Sin[i], Cos[i]) = MathF.SinCos(position / MathF.Pow(10000, 2f * frequency / shape.HeadSize));
        }

        blocksEach = (lengths.Max() + shape.BlockSize - 1) / shape.BlockSize;
        blockOrder = [.. Enumerable.Range(0, blocksEach * lengths.Length)];
        random.Shuffle(blockOrder);
        KeyCache = Floats(blockOrder.Length * shape.BlockSize * shape.KvHeads * CacheWidth, () => Unwritten);
        ValueCache = Floats(KeyCache.Length, () => Unwritten);
    }

    public KvCacheFormat Cache { get; }

    public int CacheWidth { get; }

    /// <summary>Per sequence (tokens, packed heads).</summary>
    public float[][] Sequences { get; }

    public float[] Cos { get; }

    public float[] Sin { get; }

    public float[] KeyCache { get; }

    public float[] ValueCache { get; }

    // The arrays of the step that was set up last.
    public float[] Qkv { get; private set; } = [];

    public int[] CuSeqlens { get; private set; } = [];

    public int[] PastLens { get; private set; } = [];

    public int[] BlockTable { get; private set; } = [];

    public float[] Output { get; private set; } = [];

    public int Blocks => blockOrder.Length;

    public int BlocksEach => blocksEach;

    /// <summary>Sets up the next tokens of some sequences as one batch.</summary>
    public PagedAttentionJob Prepare(KernelIsa isa, params ReadOnlySpan<(int Sequence, int Tokens)> step)
    {
        var tokens = 0;
        foreach (var part in step)
            tokens += part.Tokens;
        Qkv = Pinned<float>(tokens * shape.Packed);
        CuSeqlens = Pinned<int>(step.Length + 1);
        PastLens = Pinned<int>(step.Length);
        BlockTable = Pinned<int>(step.Length * blocksEach);
        Output = Floats(tokens * shape.Heads * shape.HeadSize, () => float.NaN);
        for (var i = 0; i < step.Length; i++)
        {
            var (sequence, count) = step[i];
            CuSeqlens[i + 1] = CuSeqlens[i] + count;
            PastLens[i] = cached[sequence];
            blockOrder.AsSpan(sequence * blocksEach, blocksEach).CopyTo(BlockTable.AsSpan(i * blocksEach));
            Sequences[sequence].AsSpan(cached[sequence] * shape.Packed, count * shape.Packed)
                .CopyTo(Qkv.AsSpan(CuSeqlens[i] * shape.Packed));
            cached[sequence] += count;
        }

        return new PagedAttentionJob
        {
            Qkv = Pointer(Qkv),
            KeyCache = Pointer(KeyCache),
            ValueCache = Pointer(ValueCache),
            CuSeqlens = Pointer(CuSeqlens),
            PastLens = Pointer(PastLens),
            BlockTable = Pointer(BlockTable),
            Cos = Pointer(Cos),
            Sin = Pointer(Sin),
            Output = Pointer(Output),
            Tokens = tokens,
            Sequences = step.Length,
            Heads = shape.Heads,
            KvHeads = shape.KvHeads,
            HeadSize = shape.HeadSize,
            CacheWidth = CacheWidth,
            Blocks = Blocks,
            BlockSize = shape.BlockSize,
            TableWidth = blocksEach,
            Positions = Positions,
            Scale = 1f / MathF.Sqrt(shape.HeadSize),
            Isa = isa,
        };
    }

    /// <summary>Runs steps one after another; returns each sequence's output rows in the order of its tokens.</summary>
    public List<float>[] Run(KernelIsa isa, params IEnumerable<(int Sequence, int Tokens)[]> steps)
    {
        var outputs = Array.ConvertAll(Sequences, _ => new List<float>());
        foreach (var step in steps)
        {
            var job = Prepare(isa, step);
            job.Validate();
            PagedAttentionKernel.WriteCache(&job, 0, job.Tokens);
            for (var unit = job.Units - 1; unit >= 0; unit--)
                PagedAttentionKernel.Attend(&job, unit);
            var width = shape.Heads * shape.HeadSize;
            for (var i = 0; i < step.Length; i++)
                outputs[step[i].Sequence].AddRange(Output.AsSpan(CuSeqlens[i] * width, step[i].Tokens * width));
        }

        return outputs;
    }

    private static T* Pointer<T>(T[] pinned) where T : unmanaged =>
        (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private static T[] Pinned<T>(int length) => GC.AllocateArray<T>(length, pinned: true);

    private static float[] Floats(int length, Func<float> next)
    {
        var floats = Pinned<float>(length);
        for (var i = 0; i < length; i++)
            floats[i] = next();
        return floats;
    }
}
