using System.Runtime.InteropServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>What the attention ops have in common: what a node says of its heads, the inputs, and the two phases on the session's threads.</summary>
internal unsafe struct PagedAttentionNode
{
    private const int UnitTokens = 16;

    private KernelIsa isa;
    private int heads;
    private int kvHeads;
    private float scale; // 0: 1/√D
    private float epsilon;

    public readonly KernelIsa Isa => isa;

    /// <summary>Reads a node's attributes into memory of <see cref="NativeMemory"/>.</summary>
    /// <exception cref="InvalidDataException">One is missing.</exception>
    public static PagedAttentionNode* Create(KernelIsa isa, nint info)
    {
        PagedAttentionNode node;
        node.isa = isa;
        node.heads = checked((int)OrtFunctions.Attribute(info, "num_heads"u8, 0));
        node.kvHeads = checked((int)OrtFunctions.Attribute(info, "kv_num_heads"u8, 0));
        node.scale = OrtFunctions.Attribute(info, "scale"u8, 0f);
        node.epsilon = OrtFunctions.Attribute(info, "epsilon"u8, 0f);
        if (node.heads <= 0 || node.kvHeads <= 0)
            throw new InvalidDataException("PagedAttention needs num_heads and kv_num_heads.");
        var created = (PagedAttentionNode*)NativeMemory.Alloc((nuint)sizeof(PagedAttentionNode));
        *created = node;
        return created;
    }

    /// <summary>A job from the inputs, whose shapes fit each other; it has no output yet, and what its integers say is not checked.</summary>
    /// <param name="packed">Index of the packed queries, keys and values.</param>
    /// <param name="caches">Index of the first of key_cache, value_cache, cumulative_sequence_length, past_seqlens, block_table, cos, sin.</param>
    public readonly PagedAttentionJob Job(nint context, int packed, int caches)
    {
        var qkv = new OrtTensor(context, packed, "query", rank: 2);
        var keys = new OrtTensor(context, caches, "key_cache", rank: 4);
        var values = new OrtTensor(context, caches + 1, "value_cache", rank: 4);
        var cuSeqlens = new OrtTensor(context, caches + 2, "cumulative_sequence_length", rank: 1);
        var pastLens = new OrtTensor(context, caches + 3, "past_seqlens", rank: 1);
        var blockTable = new OrtTensor(context, caches + 4, "block_table", rank: 2);
        var cos = new OrtTensor(context, caches + 5, "cos_cache", rank: 2);
        var sin = new OrtTensor(context, caches + 6, "sin_cache", rank: 2);

        var headSize = checked(2 * cos[1]);
        OrtTensor.Require(keys[2] == kvHeads, "key_cache has another number of heads than kv_num_heads.");
        for (var i = 0; i < 4; i++)
            OrtTensor.Require(values[i] == keys[i], "key_cache and value_cache differ in shape.");
        OrtTensor.Require(qkv[1] == (heads + (2L * kvHeads)) * headSize, "query is not as wide as the packed heads.");
        OrtTensor.Require(sin[1] == cos[1] && sin[0] == cos[0], "cos_cache and sin_cache differ in shape.");
        OrtTensor.Require(cuSeqlens[0] >= 1, "cumulative_sequence_length is empty.");
        OrtTensor.Require(
            pastLens[0] == cuSeqlens[0] - 1 && blockTable[0] == pastLens[0],
            "past_seqlens or block_table is for another number of sequences.");

        return new PagedAttentionJob
        {
            Qkv = qkv.Floats,
            KeyCache = keys.Floats,
            ValueCache = values.Floats,
            CuSeqlens = cuSeqlens.Integers,
            PastLens = pastLens.Integers,
            BlockTable = blockTable.Integers,
            Cos = cos.Floats,
            Sin = sin.Floats,
            Tokens = qkv[0],
            Sequences = pastLens[0],
            Heads = heads,
            KvHeads = kvHeads,
            HeadSize = headSize,
            CacheWidth = keys[3],
            Blocks = keys[0],
            BlockSize = keys[1],
            TableWidth = blockTable[1],
            Positions = cos[0],
            Scale = scale != 0 ? scale : 1f / MathF.Sqrt(headSize),
            NormEpsilon = epsilon,
            Isa = isa,
        };
    }

    public static void Run(nint context, PagedAttentionJob* job)
    {
        RowParallel.Run(context, job->Tokens, UnitTokens, &WriteCache, job);
        OrtFunctions.ParallelFor(context, &Attend, job->Units, job);
    }

    [UnmanagedCallersOnly]
    private static void WriteCache(void* state, nuint unit)
    {
        var job = (PagedAttentionJob*)state;
        var begin = (int)unit * UnitTokens;
        PagedAttentionKernel.WriteCache(job, begin, Math.Min(begin + UnitTokens, job->Tokens));
    }

    [UnmanagedCallersOnly]
    private static void Attend(void* job, nuint unit) => PagedAttentionKernel.Attend((PagedAttentionJob*)job, (int)unit);
}
