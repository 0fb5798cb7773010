using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Lets a sequence begin with the blocks that others have computed, and keeps what it computes for later ones: system texts, policies,
/// conversations that grow. A block that agrees only in part is copied. What is shared is bitwise what would have been computed, because no row of
/// a pass depends on the others.
/// </summary>
/// <param name="isOn">Off, nothing is shared.</param>
internal sealed class PrefixCache(bool isOn, PrefixIndex index, KvBlocks blocks, ModelRunner runner, WordNgrams? ngrams)
{
    private readonly int[] _block = new int[blocks.BlockSize];
    private readonly long[] _ngramIds = new long[ngrams?.Orders ?? 0];

    /// <summary>Skips pending tokens before the first query whose keys and values are in the pool; returns how many.</summary>
    public int Reuse(Sequence sequence)
    {
        if (!isOn || sequence.IsBranch) return 0;
        var before = sequence.Computed;
        while (TryReuseBlock(sequence))
        {
        }

        return sequence.Computed - before;
    }

    /// <summary>Counts computed tokens, and puts each block that they have filled into the index.</summary>
    public void Advance(Sequence sequence, int tokens)
    {
        while (tokens > 0)
        {
            var part = Math.Min(tokens, blocks.BlockSize - sequence.LastBlock.Length);
            sequence.Advance(part);
            tokens -= part;
            if (isOn && sequence.LastBlock.IsEmpty && !sequence.IsBranch) Keep(sequence);
        }
    }

    private bool TryReuseBlock(Sequence sequence)
    {
        var known = sequence.LastBlock.Length;
        var skippable = sequence.Pending.Length - sequence.Tail;
        if (skippable <= 0) return false;
        var wanted = _block.AsSpan(0, Math.Min(_block.Length, known + skippable));
        sequence.LastBlock.CopyTo(wanted);
        sequence.Pending[..(wanted.Length - known)].CopyTo(wanted[known..]);

        if (wanted.Length == _block.Length && index.Find(sequence.Run, wanted) is >= 0 and var whole)
        {
            blocks.Share(whole);
            if (known == 0) sequence.Blocks.Add(whole);
            else Replace(sequence, whole);
            Skip(sequence, _block.Length - known);
            sequence.Run = index.RunOf(whole);
            return true;
        }

        if (index.FindPart(sequence.Run, wanted) is var (source, agreeing) && agreeing > known) CopyPart(sequence, source, agreeing - known);
        return false;
    }

    /// <summary>Copy-on-write: the sequence goes on in a block of its own.</summary>
    private void CopyPart(Sequence sequence, int source, int tokens)
    {
        blocks.Share(source); // else it might be the one that is taken
        if (sequence.LastBlock.IsEmpty) sequence.Blocks.Add(blocks.Take());
        runner.CopyBlock(source, sequence.Blocks[^1]);
        blocks.Release(source);
        Skip(sequence, tokens);
    }

    private void Skip(Sequence sequence, int tokens)
    {
        if (ngrams is not null)
            foreach (var token in sequence.Pending[..tokens]) ngrams.Next(ref sequence.Ngrams, token, _ngramIds);
        sequence.Advance(tokens);
    }

    private void Keep(Sequence sequence)
    {
        var last = sequence.Computed / blocks.BlockSize - 1;
        var same = index.Find(sequence.Run, sequence.FilledBlock);
        if (same < 0)
        {
            same = sequence.Blocks[last];
            index.Add(sequence.Run, sequence.FilledBlock, same);
        }
        else
        {
            // Computed twice at the same time: one copy is enough.
            blocks.Share(same);
            (var own, sequence.Blocks[last]) = (sequence.Blocks[last], same);
            blocks.Release(own);
        }

        sequence.Run = index.RunOf(same);
    }

    private void Replace(Sequence sequence, int block)
    {
        blocks.Release(sequence.Blocks[^1]);
        sequence.Blocks[^1] = block;
    }
}
