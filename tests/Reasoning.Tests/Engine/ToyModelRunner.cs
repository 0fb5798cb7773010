using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

/// <summary>
/// A model whose logits are a hash of the whole sequence, read back token by token through the block table: a wrong block, a lost token or a
/// missing copy gives different logits. The pool stores tokens instead of keys and values.
/// </summary>
internal sealed class ToyModelRunner(int blocks = 256, int blockSize = 4, int maxPositions = 1024, int vocabulary = 64, int ngramOrders = 0) : ModelRunner
{
    private readonly int[] _pool = new int[blocks * blockSize];

    public override int VocabularySize => vocabulary;

    public override int MaxPositions => maxPositions;

    public override int NgramOrders => ngramOrders;

    public override int BlockSize => blockSize;

    public override int BlockCount => blocks;

    public List<(int Sequences, int Tokens)> Passes { get; } = [];

    /// <summary>Runs before each pass.</summary>
    public Action? BeforePass { get; set; }

    /// <summary>The logits after a sequence, computed from nothing.</summary>
    public static float[] Logits(IReadOnlyList<int> sequence, int vocabulary = 64)
    {
        var hash = 17u;
        foreach (var token in sequence) hash = (hash ^ (uint)token) * 0x9E3779B1;
        var random = new Random((int)hash);
        return [.. Enumerable.Range(0, vocabulary).Select(_ => 20 * random.NextSingle())];
    }

    public override void Run(StepBatch batch)
    {
        BeforePass?.Invoke();
        Passes.Add((batch.Sequences, batch.Tokens));
        for (var b = 0; b < batch.Sequences; b++)
        {
            var (from, to, past) = (batch.CuSeqlens[b], batch.CuSeqlens[b + 1], batch.PastLens[b]);
            for (var t = from; t < to; t++) _pool[Slot(batch, b, past + t - from)] = (int)batch.InputIds[t];
            for (var row = 0; row < batch.Queries; row++)
            {
                var position = (int)batch.LogitIndexes[row];
                if (position < from || position >= to) continue;
                int[] sequence = [.. Enumerable.Range(0, past + position - from + 1).Select(p => _pool[Slot(batch, b, p)])];
                Logits(sequence, vocabulary).CopyTo(batch.Logits, row * vocabulary);
            }
        }
    }

    public override void CopyBlock(int source, int target) =>
        Array.Copy(_pool, source * blockSize, _pool, target * blockSize, blockSize);

    protected override void Dispose(bool disposing)
    {
    }

    private int Slot(StepBatch batch, int sequence, int position) =>
        batch.BlockTable[sequence * batch.BlocksPerSequence + position / blockSize] * blockSize + position % blockSize;
}
