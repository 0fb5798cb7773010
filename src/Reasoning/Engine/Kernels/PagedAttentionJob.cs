namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// One run of paged attention: new tokens of several sequences, flat, and the key and value cache that their past lies in.
/// T tokens, B sequences, H query heads, N key-value heads, D head size, W floats of a head in the cache. The caches are updated; nothing else but the output is written.
/// </summary>
/// <remarks>
/// A cache is declared <c>[blocks, block size, N, W]</c>, and W tells its format: D floats, or D/2 that hold two bf16 each. The order
/// inside a block is the kernel's: per head a run of block size × W floats, of which the values are <c>[token][W]</c> and the keys
/// tiles of 16 tokens, <c>[W][16]</c>, so that the scores of 16 tokens are one vector and need no horizontal sum.
/// </remarks>
internal unsafe struct PagedAttentionJob
{
    public const int TileTokens = 16;
    public const int MaxBlockSize = 1 << 16;
    public const int MaxHeadSize = 256;
    public const int MaxGroupHeads = 64;

    // A unit of work is as many queries as make about this many rows (query, head), so that it reads keys and values once for all.
    private const int UnitRows = 32;

    public float* Qkv; // (T, (H + 2·N)·D)
    public float* Magnitudes; // (T): what each row of it has yet to be multiplied by; null if nothing is left to do
    public float* Bias; // ((H + 2·N)·D): what has to be added then, or null
    public float* QueryNorm; // (D): the weight that each head of the queries is normalised by then, or null
    public float* KeyNorm; // (D)
    public float* KeyCache;
    public float* ValueCache;
    public int* CuSeqlens; // (B + 1): where each sequence's new tokens begin
    public int* PastLens; // (B): tokens already in the cache
    public int* BlockTable; // (B, TableWidth): block ids in the order of positions
    public float* Cos; // (Positions, D/2)
    public float* Sin; // (Positions, D/2)
    public float* Output; // (T, H·D)

    public int Tokens;
    public int Sequences;
    public int Heads;
    public int KvHeads;
    public int HeadSize;
    public int CacheWidth;
    public int Blocks;
    public int BlockSize;
    public int TableWidth;
    public int Positions;
    public float Scale;
    public float NormEpsilon;
    public KernelIsa Isa;

    public readonly KvCacheFormat CacheFormat => CacheWidth == HeadSize ? KvCacheFormat.Fp32 : KvCacheFormat.Bf16;

    /// <summary>Query heads that share a key-value head.</summary>
    public readonly int GroupHeads => Heads / KvHeads;

    public readonly int UnitQueries => Math.Max(1, UnitRows / GroupHeads);

    /// <summary>Units of work: for each sequence its queries in chunks, for each chunk its key-value heads.</summary>
    public readonly int Units
    {
        get
        {
            var chunks = 0;
            for (var sequence = 0; sequence < Sequences; sequence++)
                chunks += Chunks(sequence);
            return chunks * KvHeads;
        }
    }

    /// <summary>The sequence, key-value head and new tokens (in the flat batch) of a unit.</summary>
    public readonly (int Sequence, int KvHead, int Begin, int End) Unit(int unit)
    {
        var chunk = unit / KvHeads;
        var sequence = 0;
        for (; chunk >= Chunks(sequence); sequence++)
            chunk -= Chunks(sequence);
        var begin = CuSeqlens[sequence] + (chunk * UnitQueries);
        return (sequence, unit % KvHeads, begin, Math.Min(begin + UnitQueries, CuSeqlens[sequence + 1]));
    }

    /// <summary>Where the part of a cache begins that holds a sequence's position: its block's run of one head.</summary>
    public readonly nint CacheOffset(int sequence, int kvHead, int position)
    {
        nint block = BlockTable[((nint)sequence * TableWidth) + (position / BlockSize)];
        return ((block * KvHeads) + kvHead) * BlockSize * CacheWidth;
    }

    private readonly int Chunks(int sequence) =>
        (CuSeqlens[sequence + 1] - CuSeqlens[sequence] + UnitQueries - 1) / UnitQueries;

    /// <summary>Checks every index that the kernel will follow, so that a wrong one is an error and never a wild read.</summary>
    /// <exception cref="InvalidDataException">Something is out of range; nothing was written.</exception>
    public readonly void Validate()
    {
        if (KvHeads <= 0 || Heads <= 0 || Heads % KvHeads != 0)
            throw new InvalidDataException($"{Heads} heads cannot share {KvHeads} key-value heads evenly.");
        if (GroupHeads > MaxGroupHeads)
            throw new InvalidDataException($"{GroupHeads} heads share a key-value head; at most {MaxGroupHeads} can.");
        if (HeadSize is <= 0 or > MaxHeadSize || HeadSize % 2 != 0)
            throw new InvalidDataException($"The head size must be even and at most {MaxHeadSize}, not {HeadSize}.");
        if (CacheWidth != HeadSize && CacheWidth != HeadSize / 2)
            throw new InvalidDataException($"The caches have {CacheWidth} floats a head, not {HeadSize} for fp32 or {HeadSize / 2} for bf16.");
        if ((QueryNorm != null || KeyNorm != null) && !(NormEpsilon > 0))
            throw new InvalidDataException("Heads are normalised with a positive epsilon.");
        if (BlockSize is <= 0 or > MaxBlockSize || BlockSize % TileTokens != 0)
            throw new InvalidDataException($"The block size must be a multiple of {TileTokens} up to {MaxBlockSize}, not {BlockSize}.");
        if (CuSeqlens[0] != 0 || CuSeqlens[Sequences] != Tokens)
            throw new InvalidDataException($"cu_seqlens goes from {CuSeqlens[0]} to {CuSeqlens[Sequences]}, not from 0 to {Tokens}.");
        for (var sequence = 0; sequence < Sequences; sequence++)
            ValidateSequence(sequence);
    }

    private readonly void ValidateSequence(int sequence)
    {
        int begin = CuSeqlens[sequence], end = CuSeqlens[sequence + 1], past = PastLens[sequence];
        if (end < begin || end > Tokens)
            throw new InvalidDataException($"cu_seqlens goes from {begin} to {end} at sequence {sequence} of {Tokens} tokens.");
        if (past < 0)
            throw new InvalidDataException($"past_lens of sequence {sequence} is {past}.");
        if (begin == end)
            return;
        var length = (long)past + end - begin;
        if (length > Positions || length > (long)TableWidth * BlockSize)
            throw new InvalidDataException(
                $"Sequence {sequence} is {length} tokens long: cos has {Positions} rows, block_table {TableWidth} blocks of {BlockSize}.");
        for (var i = 0; i <= (length - 1) / BlockSize; i++)
        {
            var block = BlockTable[((nint)sequence * TableWidth) + i];
            if (block < 0 || block >= Blocks)
                throw new InvalidDataException($"block_table of sequence {sequence} names block {block} of {Blocks}.");
        }
    }
}
