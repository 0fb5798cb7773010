namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Owns the blocks of the key/value pool. A block is held by one or more sequences; or kept for its content, which a later sequence may share; or
/// free. When no block is free, the one that was kept longest without use is taken.
/// </summary>
/// <param name="prefixes">Knows the content of the blocks that are worth keeping.</param>
/// <param name="maxKept">The most blocks that are kept while no sequence holds them.</param>
internal sealed class KvBlocks(int count, int blockSize, PrefixIndex prefixes, int maxKept)
{
    private readonly Stack<int> _free = new(Enumerable.Range(0, count).Reverse());
    private readonly int[] _owners = new int[count];
    private readonly BlockList _kept = new(count); // the longest unused first

    /// <summary>Tokens of a block.</summary>
    public int BlockSize => blockSize;

    public int Count => count;

    /// <summary>Blocks that no sequence holds.</summary>
    public int Unused => _free.Count + _kept.Count;

    /// <summary>Blocks that no sequence holds, with a content that may be of use.</summary>
    public int Kept => _kept.Count;

    /// <summary>Blocks that hold <paramref name="tokens"/> tokens.</summary>
    public int For(int tokens) => (tokens + blockSize - 1) / blockSize;

    /// <summary>Gives a block to its first owner.</summary>
    /// <exception cref="InvalidOperationException">Every block is held: admission let in more than fits.</exception>
    public int Take()
    {
        if (!_free.TryPop(out var block))
        {
            if (_kept.Count == 0) throw new InvalidOperationException("The key/value pool is exhausted.");
            block = Forget();
        }

        _owners[block] = 1;
        return block;
    }

    /// <summary>Adds an owner to a block that is held or kept.</summary>
    public void Share(int block)
    {
        if (_owners[block]++ == 0) _kept.Remove(block);
    }

    public void Release(int block)
    {
        if (--_owners[block] > 0) return;
        if (prefixes.Contains(block)) _kept.Append(block);
        else _free.Push(block);
        if (_kept.Count > maxKept) _free.Push(Forget());
    }

    private int Forget()
    {
        var block = _kept.RemoveFirst();
        prefixes.Remove(block);
        return block;
    }
}
