using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed class PagedAttentionJobTests
{
    private readonly PagedBatch batch = new(new HeadShape(4, 2, 32, 16), [40, 30, 5], seed: 5);
    private PagedAttentionJob job;

    public PagedAttentionJobTests()
    {
        batch.Prepare(KernelIsa.Scalar, (0, 20), (1, 3));
        job = batch.Prepare(KernelIsa.Scalar, (0, 20), (1, 27), (2, 5));
    }

    [Fact]
    public void A_sound_batch_is_accepted() => job.Validate();

    [Fact]
    public void An_empty_batch_is_accepted_and_has_no_units()
    {
        var empty = batch.Prepare(KernelIsa.Scalar);
        empty.Validate();
        Assert.Equal(0, empty.Units);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void A_block_outside_the_cache_is_refused(int block)
    {
        batch.BlockTable[batch.BlocksEach + 1] = block;
        Refuses("block_table of sequence 1");
    }

    [Fact]
    public void A_block_right_behind_the_cache_is_refused()
    {
        batch.BlockTable[2] = batch.Blocks;
        Refuses("block_table of sequence 0");
    }

    [Fact]
    public void Blocks_that_a_sequence_does_not_reach_may_be_anything()
    {
        batch.BlockTable[(2 * batch.BlocksEach) + 1] = -1;
        job.Validate();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(PagedBatch.Positions)]
    [InlineData(int.MaxValue)]
    public void A_past_that_is_negative_or_leaves_no_positions_is_refused(int past)
    {
        batch.PastLens[1] = past;
        Refuses("equence 1");
    }

    [Fact]
    public void A_sequence_longer_than_its_row_of_blocks_is_refused()
    {
        batch.PastLens[0] = 30;
        Refuses("Sequence 0 is 50 tokens long");
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 53)]
    [InlineData(1, -1)]
    [InlineData(2, 0)]
    [InlineData(2, int.MaxValue)]
    [InlineData(3, 51)]
    [InlineData(3, 53)]
    public void Sequence_bounds_that_do_not_rise_from_0_to_the_tokens_are_refused(int index, int bound)
    {
        batch.CuSeqlens[index] = bound;
        Refuses("cu_seqlens");
    }

    [Theory]
    [InlineData(0, 2, 32, 16)]
    [InlineData(4, 0, 32, 16)]
    [InlineData(5, 2, 32, 16)]
    [InlineData(130, 2, 32, 16)]
    [InlineData(4, 2, 0, 16)]
    [InlineData(4, 2, 33, 16)]
    [InlineData(4, 2, 258, 16)]
    [InlineData(4, 2, 32, 0)]
    [InlineData(4, 2, 32, 24)]
    [InlineData(4, 2, 32, int.MaxValue & -16)]
    public void Shapes_that_the_kernel_does_not_have_are_refused(int heads, int kvHeads, int headSize, int blockSize)
    {
        job.Heads = heads;
        job.KvHeads = kvHeads;
        job.HeadSize = headSize;
        job.BlockSize = blockSize;
        Refuses("");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(31)]
    [InlineData(64)]
    public void A_cache_of_no_known_format_is_refused(int width)
    {
        job.CacheWidth = width;
        Refuses($"{width} floats a head");
    }

    [Fact]
    public void The_units_cover_every_query_and_head_once()
    {
        var covered = new int[job.Tokens, job.KvHeads];
        for (var unit = 0; unit < job.Units; unit++)
        {
            var (sequence, kvHead, begin, end) = job.Unit(unit);
            Assert.InRange(begin, batch.CuSeqlens[sequence], end - 1);
            Assert.InRange(end, begin + 1, batch.CuSeqlens[sequence + 1]);
            for (var token = begin; token < end; token++)
                covered[token, kvHead]++;
        }

        Assert.All(covered.Cast<int>(), times => Assert.Equal(1, times));
    }

    private void Refuses(string message)
    {
        var exception = Assert.Throws<InvalidDataException>(() => job.Validate());
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
