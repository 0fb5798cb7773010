using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Engine;

public sealed class BatchCheckTests : IDisposable
{
    private static readonly ModelConfig Config = new() { SaferguardNgrams = new NgramConfig(Orders: 2, Buckets: 8, Size: 4) };

    private readonly ToyModelRunner _runner = new(blocks: 8, blockSize: 4, maxPositions: 10, vocabulary: 64, ngramOrders: 2);
    private readonly StepBatch _batch;

    public BatchCheckTests()
    {
        var options = new EngineOptions { MaxBatchTokens = 64, MaxBatchSequences = 8, MaxBatchQueries = 64 };
        _batch = new StepBatch(options, _runner);
        _batch.Clear(blocksPerSequence: 3);
        WordNgrams.State state = default;
        _batch.AddQuery(2);
        _batch.Add([1, 2, 3], past: 5, [0, 1], ngrams: null, ref state);
        _batch.Add([4], past: 9, [2, 3, 4], ngrams: null, ref state);
    }

    public void Dispose() => _runner.Dispose();

    [Fact]
    public void A_batch_that_is_right_passes() => BatchCheck.Require(_batch, _runner, Config);

    [Theory]
    [InlineData("a token beyond the vocabulary")]
    [InlineData("a token below it")]
    [InlineData("an n-gram beyond the table")]
    [InlineData("a block beyond the pool")]
    [InlineData("a block below it")]
    [InlineData("a query beyond the tokens")]
    [InlineData("a sequence beyond the positions")]
    [InlineData("a sequence beyond its blocks")]
    [InlineData("a past below zero")]
    [InlineData("a past that overflows")]
    [InlineData("sequences that overlap")]
    [InlineData("sequences that leave tokens out")]
    [InlineData("sequences that begin late")]
    public void A_batch_that_is_wrong_is_refused(string mistake)
    {
        switch (mistake)
        {
            case "a token beyond the vocabulary": _batch.InputIds[3] = 64; break;
            case "a token below it": _batch.InputIds[0] = -1; break;
            case "an n-gram beyond the table": _batch.NgramIds[7] = 8; break;
            case "a block beyond the pool": _batch.BlockTable[_batch.BlocksPerSequence] = 8; break;
            case "a block below it": _batch.BlockTable[0] = -1; break;
            case "a query beyond the tokens": _batch.LogitIndexes[0] = 4; break;
            case "a sequence beyond the positions": _batch.PastLens[1] = 10; break;
            case "a sequence beyond its blocks": _batch.PastLens[0] = 4 * _batch.BlocksPerSequence; break;
            case "a past below zero": _batch.PastLens[0] = -1; break;
            case "a past that overflows": _batch.PastLens[0] = int.MaxValue; break;
            case "sequences that overlap": _batch.CuSeqlens[1] = 5; break;
            case "sequences that leave tokens out": _batch.CuSeqlens[2] = 3; break;
            case "sequences that begin late": _batch.CuSeqlens[0] = 1; break;
        }

        Assert.Throws<ArgumentException>(() => BatchCheck.Require(_batch, _runner, Config));
    }

    [Fact]
    public void An_empty_batch_is_refused()
    {
        _batch.Clear(1);
        Assert.Throws<ArgumentException>(() => BatchCheck.Require(_batch, _runner, Config));
    }
}
