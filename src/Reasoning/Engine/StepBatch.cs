using System.Numerics;
using System.Runtime.InteropServices;
using SaferGuard.Reasoning.Tokens;

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
    public long[] NgramIds { get; } = new long[checked(options.MaxBatchTokens * runner.NgramOrders)];

    /// <summary>(B + 1): where each sequence's tokens begin; the last is T.</summary>
    public int[] CuSeqlens { get; } = new int[options.MaxBatchSequences + 1];

    /// <summary>(B): tokens of each sequence that are in the pool already.</summary>
    public int[] PastLens { get; } = new int[options.MaxBatchSequences];

    /// <summary>(B, M), unused entries 0.</summary>
    public int[] BlockTable { get; } = new int[checked(options.MaxBatchSequences * ((runner.MaxPositions + runner.BlockSize - 1) / runner.BlockSize))];

    /// <summary>(R): positions in the batch whose logits are wanted.</summary>
    public long[] LogitIndexes { get; } = new long[options.MaxBatchQueries];

    /// <summary>(R, vocabulary)</summary>
    public float[] Logits { get; } = new float[checked(options.MaxBatchQueries * runner.VocabularySize)];

    /// <summary>T</summary>
    public int Tokens { get; private set; }

    /// <summary>B</summary>
    public int Sequences { get; private set; }

    /// <summary>R</summary>
    public int Queries { get; private set; }

    /// <summary>M: a power of two where it can be, so that few shapes occur.</summary>
    public int BlocksPerSequence { get; private set; }

    /// <summary>Empties the batch.</summary>
    /// <param name="blocksPerSequence">Blocks of the longest sequence that will be added.</param>
    public void Clear(int blocksPerSequence)
    {
        (Tokens, Sequences, Queries) = (0, 0, 0);
        BlocksPerSequence = Math.Min(_maxBlocks, (int)BitOperations.RoundUpToPowerOf2((uint)blocksPerSequence));
        CuSeqlens[0] = 0;
    }

    /// <summary>Asks for the logits of a token of the batch.</summary>
    public void AddQuery(int token) => LogitIndexes[Queries++] = token;

    /// <summary>Appends the next tokens of a sequence.</summary>
    /// <param name="past">Tokens of the sequence that are in the pool already.</param>
    /// <param name="blocks">Blocks of the sequence, in order, with room for the new tokens.</param>
    /// <param name="state">The sequence's n-grams after <paramref name="past"/> tokens; advanced.</param>
    public void Add(ReadOnlySpan<int> tokens, int past, ReadOnlySpan<int> blocks, WordNgrams? ngrams, ref WordNgrams.State state)
    {
        PastLens[Sequences] = past;
        var row = BlockTable.AsSpan(Sequences * BlocksPerSequence, BlocksPerSequence);
        row.Clear();
        blocks.CopyTo(row);
        foreach (var token in tokens)
        {
            InputIds[Tokens] = token;
            ngrams?.Next(ref state, token, NgramIds.AsSpan(Tokens * ngrams.Orders, ngrams.Orders));
            Tokens++;
        }

        CuSeqlens[++Sequences] = Tokens;
    }

    internal void Fill(StepPlan plan, WordNgrams? ngrams)
    {
        var longest = 0;
        foreach (var (sequence, _) in plan.Entries) longest = Math.Max(longest, sequence.Blocks.Count);
        Clear(longest);
        foreach (var (sequence, take) in plan.Entries)
        {
            if (take == sequence.Pending.Length)
            {
                foreach (var query in sequence.Queries) AddQuery(Tokens + sequence.PendingPosition(query));
            }

            Add(sequence.Pending[..take], sequence.Computed, CollectionsMarshal.AsSpan(sequence.Blocks), ngrams, ref sequence.Ngrams);
        }
    }
}
