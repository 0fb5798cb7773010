using System.Security.Cryptography;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Finds blocks by content. A run of full blocks has an id; a block is known by the run before it and its own tokens, so that equal ids mean equal
/// tokens from the first one on. Hashes only point at candidates: tokens are compared, so that no crafted prompt is ever taken for another.
/// </summary>
internal sealed class PrefixIndex
{
    /// <summary>The run of no blocks.</summary>
    public const long Root = 0;

    private const int Parts = 4;

    private readonly int _blockSize, _partSize;
    private readonly int[] _tokens; // (blocks, block size)
    private readonly long[] _parents; // the run before a block
    private readonly long[] _ids; // the run that ends with a block; 0: the block is not in the index
    private readonly Dictionary<ulong, int> _byHash; // of a block's first 1/4, 2/4, 3/4 and all tokens
    private readonly ulong _seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private long _lastId = Root;

    public PrefixIndex(int blocks, int blockSize)
    {
        if (blockSize % Parts != 0) throw new ArgumentOutOfRangeException(nameof(blockSize), "A block must have four equal parts.");
        (_blockSize, _partSize) = (blockSize, blockSize / Parts);
        _tokens = new int[checked(blocks * blockSize)];
        _parents = new long[blocks];
        _ids = new long[blocks];
        _byHash = new Dictionary<ulong, int>(Parts * blocks);
    }

    public bool Contains(int block) => _ids[block] != Root;

    /// <summary>The run that ends with a block of the index.</summary>
    public long RunOf(int block) => _ids[block];

    /// <summary>The block with these tokens (a block's worth) after a run, or -1.</summary>
    public int Find(long run, ReadOnlySpan<int> tokens) => FindStart(run, tokens);

    /// <summary>A block that starts with at least a quarter of a block of these tokens after a run: the block and how many of its tokens agree, or (-1, 0).</summary>
    public (int Block, int Tokens) FindPart(long run, ReadOnlySpan<int> tokens)
    {
        for (var length = Math.Min(tokens.Length, _blockSize) / _partSize * _partSize; length > 0; length -= _partSize)
        {
            var block = FindStart(run, tokens[..length]);
            if (block >= 0) return (block, TokensOf(block).CommonPrefixLength(tokens));
        }

        return (-1, 0);
    }

    /// <summary>Adds a full block that continues a run. No other block of the index may have the same content.</summary>
    public void Add(long run, ReadOnlySpan<int> tokens, int block)
    {
        tokens.CopyTo(_tokens.AsSpan(block * _blockSize, _blockSize));
        _parents[block] = run;
        _ids[block] = ++_lastId;
        for (var part = 1; part <= Parts; part++) _byHash[Hash(run, tokens[..(part * _partSize)])] = block;
    }

    public void Remove(int block)
    {
        for (var part = 1; part <= Parts; part++)
        {
            // A later block may have taken the entry over.
            var hash = Hash(_parents[block], TokensOf(block)[..(part * _partSize)]);
            if (_byHash.TryGetValue(hash, out var found) && found == block) _byHash.Remove(hash);
        }

        _ids[block] = Root;
    }

    private int FindStart(long run, ReadOnlySpan<int> tokens) =>
        _byHash.TryGetValue(Hash(run, tokens), out var block) && _parents[block] == run && TokensOf(block).StartsWith(tokens) ? block : -1;

    private ReadOnlySpan<int> TokensOf(int block) => _tokens.AsSpan(block * _blockSize, _blockSize);

    private ulong Hash(long run, ReadOnlySpan<int> tokens)
    {
        var hash = Mix(_seed, (ulong)run);
        foreach (var token in tokens) hash = Mix(hash, (uint)token);
        return Mix(hash, (uint)tokens.Length);
    }

    private static ulong Mix(ulong hash, ulong value)
    {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }
}
