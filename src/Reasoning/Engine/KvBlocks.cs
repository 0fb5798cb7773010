namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Owns the blocks of the key/value pool: which are free, and how many sequences share each of the others. A block returns to the pool when its
/// last sequence lets go of it.
/// </summary>
internal sealed class KvBlocks
{
    private readonly Stack<int> _free;
    private readonly int[] _owners;

    public KvBlocks(int count, int blockSize)
    {
        BlockSize = blockSize;
        _owners = new int[count];
        _free = new Stack<int>(Enumerable.Range(0, count).Reverse());
    }

    /// <summary>Tokens of a block.</summary>
    public int BlockSize { get; }

    public int Count => _owners.Length;

    public int Free => _free.Count;

    /// <summary>Blocks that hold <paramref name="tokens"/> tokens.</summary>
    public int For(int tokens) => (tokens + BlockSize - 1) / BlockSize;

    /// <exception cref="InvalidOperationException">No block is free: admission let in more than fits.</exception>
    public int Take()
    {
        if (!_free.TryPop(out var block)) throw new InvalidOperationException("The key/value pool is exhausted.");
        _owners[block] = 1;
        return block;
    }

    public void Share(int block) => _owners[block]++;

    public void Release(int block)
    {
        if (--_owners[block] == 0) _free.Push(block);
    }
}
