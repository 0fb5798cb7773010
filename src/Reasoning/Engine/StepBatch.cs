namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// The inputs and outputs of one forward pass, in buffers of fixed size that are filled anew for each pass. T tokens of B sequences, R queried rows,
/// K n-gram orders, M blocks of the longest sequence.
/// </summary>
public sealed class StepBatch(EngineOptions options, ModelRunner runner)
{
    private readonly int _maxBlocks = (runner.MaxPositions + runner.BlockSize - 1) / runner.BlockSize;

    /// <summary>(T)</summary>
    public long[] InputIds { get; } = new long[options.MaxBatchTokens];

    /// <summary>(T, K)</summary>
    public long[] NgramIds { get; } = new long[options.MaxBatchTokens * runner.NgramOrders];

    /// <summary>(B + 1): where each sequence's tokens begin; the last is T.</summary>
    public int[] CuSeqlens { get; } = new int[options.MaxBatchSequences + 1];

    /// <summary>(B): tokens of each sequence that are in the pool already.</summary>
    public int[] PastLens { get; } = new int[options.MaxBatchSequences];

    /// <summary>(B, M), unused entries 0.</summary>
    public int[] BlockTable { get; } = new int[options.MaxBatchSequences * ((runner.MaxPositions + runner.BlockSize - 1) / runner.BlockSize)];

    /// <summary>(R): positions in the batch whose logits are wanted.</summary>
    public long[] LogitIndexes { get; } = new long[options.MaxBatchQueries];

    /// <summary>(R, vocabulary)</summary>
    public float[] Logits { get; } = new float[options.MaxBatchQueries * runner.VocabularySize];

    /// <summary>T</summary>
    public int Tokens { get; private set; }

    /// <summary>B</summary>
    public int Sequences { get; private set; }

    /// <summary>R</summary>
    public int Queries { get; private set; }

    /// <summary>M</summary>
    public int BlocksPerSequence { get; private set; }

    internal void Fill(StepPlan plan, Tokens.WordNgrams? ngrams)
    {
        (Tokens, Sequences, Queries) = (0, 0, 0);
        BlocksPerSequence = Math.Min(_maxBlocks, plan.Entries.Max(e => e.Sequence.Blocks.Count));
        Array.Clear(BlockTable, 0, plan.Entries.Count * BlocksPerSequence);
        foreach (var (sequence, take) in plan.Entries)
        {
            var pending = sequence.Pending[..take];
            for (var i = 0; i < take; i++)
            {
                InputIds[Tokens + i] = pending[i];
                ngrams?.Next(ref sequence.Ngrams, pending[i], NgramIds.AsSpan((Tokens + i) * ngrams.Orders, ngrams.Orders));
            }

            if (take == sequence.Pending.Length)
            {
                foreach (var query in sequence.Queries) LogitIndexes[Queries++] = Tokens + sequence.PendingPosition(query);
            }

            CuSeqlens[Sequences] = Tokens;
            PastLens[Sequences] = sequence.Computed;
            sequence.Blocks.CopyTo(BlockTable, Sequences * BlocksPerSequence);
            Sequences++;
            Tokens += take;
        }

        CuSeqlens[Sequences] = Tokens;
    }
}
