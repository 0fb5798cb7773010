using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Engine;

/// <summary>Checks every index that a graph will follow: below this, a wrong one reads or writes memory that is not its own.</summary>
internal static class BatchCheck
{
    /// <exception cref="ArgumentException">Something is out of range; nothing was computed.</exception>
    public static void Require(StepBatch batch, ModelRunner runner, ModelConfig config)
    {
        if (batch.Tokens == 0 || batch.Sequences == 0) throw new ArgumentException("The batch is empty.");
        foreach (var id in batch.InputIds.AsSpan(0, batch.Tokens))
            if ((ulong)id >= (ulong)runner.VocabularySize) throw new ArgumentException($"Token {id} is not in the vocabulary.");
        if (config.SaferguardNgrams is { } ngrams)
        {
            foreach (var bucket in batch.NgramIds.AsSpan(0, batch.Tokens * ngrams.Orders))
                if ((ulong)bucket >= (ulong)ngrams.Buckets) throw new ArgumentException($"There is no n-gram bucket {bucket}.");
        }

        foreach (var block in batch.BlockTable.AsSpan(0, batch.Sequences * batch.BlocksPerSequence))
            if ((uint)block >= (uint)runner.BlockCount) throw new ArgumentException($"Block {block} is not in the pool.");
        foreach (var index in batch.LogitIndexes.AsSpan(0, batch.Queries))
            if ((ulong)index >= (ulong)batch.Tokens) throw new ArgumentException($"The batch has no token {index} to ask for.");
        RequireLengths(batch, runner);
    }

    private static void RequireLengths(StepBatch batch, ModelRunner runner)
    {
        var room = Math.Min(runner.MaxPositions, (long)batch.BlocksPerSequence * runner.BlockSize);
        var begin = 0;
        for (var sequence = 0; sequence < batch.Sequences; sequence++)
        {
            var (end, past) = (batch.CuSeqlens[sequence + 1], batch.PastLens[sequence]);
            if (end < begin || past < 0 || (long)past + end - begin > room)
                throw new ArgumentException($"Sequence {sequence} has {past} tokens and {end - begin} new ones; there is room for {room}.");
            begin = end;
        }

        if (batch.CuSeqlens[0] != 0 || begin != batch.Tokens) throw new ArgumentException("The sequences do not make up the batch.");
    }
}
