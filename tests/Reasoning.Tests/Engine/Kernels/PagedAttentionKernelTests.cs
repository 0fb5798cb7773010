using System.Runtime.InteropServices;
using CsCheck;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed unsafe class PagedAttentionKernelTests
{
    private static readonly Gen<HeadShape> Shapes =
        from kvHeads in Gen.Int[1, 3]
        from groupHeads in Gen.Int[1, 5]
        from headSize in Gen.Int[0, 7].Select(i => ((int[])[2, 6, 16, 32, 48, 64, 80, 128])[i])
        from blockSize in Gen.Int[1, 3].Select(tiles => tiles * 16)
        select new HeadShape(kvHeads * groupHeads, kvHeads, headSize, blockSize);

    private static readonly Gen<KvCacheFormat> Caches = Gen.Enum<KvCacheFormat>();

    private static readonly Gen<int[]> Lengths = Gen.Int[1, 100].Array[1, 3];

    public static TheoryData<KernelIsa, KvCacheFormat, int, int, int> IsasAndShapes()
    {
        var data = new TheoryData<KernelIsa, KvCacheFormat, int, int, int>();
        foreach (var isa in SupportedIsas.All)
        {
            foreach (var headSize in (int[])[16, 32, 64, 80, 128, 10])
            {
                foreach (var group in (int[])[1, 3, 4])
                {
                    foreach (var cache in Enum.GetValues<KvCacheFormat>())
                        data.Add(isa, cache, headSize, group, group % 2 == 0 ? 16 : 32);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(IsasAndShapes))]
    public void Prefill_and_decode_in_one_batch_agree_with_the_formula(KernelIsa isa, KvCacheFormat cache, int headSize, int group, int blockSize)
    {
        var shape = new HeadShape(2 * group, 2, headSize, blockSize);
        var batch = new PagedBatch(shape, [100, 70, 131], seed: headSize + group, cache);
        var outputs = batch.Run(isa, [(0, 97), (1, 17)], [(1, 52), (0, 1), (2, 65)], [(2, 1), (0, 1)], [(0, 1), (1, 1), (2, 65)]);
        AssertAgree(shape, batch, outputs);
    }

    public static TheoryData<KernelIsa, KvCacheFormat> IsasAndCaches() =>
        new(SupportedIsas.All.SelectMany(isa => Enum.GetValues<KvCacheFormat>().Select(cache => (isa, cache))));

    [Fact]
    public void Any_shape_in_any_steps_agrees_with_the_formula() =>
        Gen.Select(Shapes, Caches, Lengths, Gen.Int).Sample(
            (shape, cache, lengths, seed) =>
            {
                foreach (var isa in SupportedIsas.All)
                {
                    var batch = new PagedBatch(shape, lengths, seed, cache);
                    AssertAgree(shape, batch, batch.Run(isa, RandomSteps(lengths, seed)));
                }
            },
            iter: 20);

    [Fact]
    public void A_batch_and_its_chunks_equal_each_sequence_alone_and_whole_bit_by_bit() =>
        Gen.Select(Shapes, Caches, Lengths, Gen.Int).Sample(
            (shape, cache, lengths, seed) =>
            {
                foreach (var isa in SupportedIsas.All)
                {
                    var together = new PagedBatch(shape, lengths, seed, cache).Run(isa, RandomSteps(lengths, seed));
                    var alone = new PagedBatch(shape, lengths, seed, cache).Run(isa, lengths.Select((length, i) => new[] { (i, length) }));
                    for (var i = 0; i < lengths.Length; i++)
                        AssertSame(alone[i], together[i]);
                }
            },
            iter: 30);

    [Theory]
    [InlineData(KvCacheFormat.Fp32)]
    [InlineData(KvCacheFormat.Bf16)]
    public void The_instruction_sets_agree(KvCacheFormat cache)
    {
        var shape = new HeadShape(9, 3, 64, 16);
        var runs = SupportedIsas.All.Select(isa => new PagedBatch(shape, [200, 33], seed: 1, cache).Run(isa, [(0, 200), (1, 33)])).ToList();
        foreach (var run in runs)
        {
            for (var sequence = 0; sequence < 2; sequence++)
                AssertClose([.. runs[0][sequence].Select(x => (double)x)], run[sequence]);
        }
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void The_queries_keys_and_values_given_are_not_changed(KernelIsa isa)
    {
        var batch = new PagedBatch(new HeadShape(4, 2, 32, 16), [40], seed: 2);
        batch.Run(isa, [(0, 40)]);
        AssertSame([.. batch.Sequences[0]], [.. batch.Qkv]);
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void Scores_beyond_the_range_of_exp_leave_the_highest_alone(KernelIsa isa)
    {
        // One key is a thousand times the query's direction and wins; the last token's output is that token's value.
        var shape = new HeadShape(1, 1, 16, 16);
        var batch = new PagedBatch(shape, [80], seed: 3);
        var sequence = batch.Sequences[0];
        Array.Clear(batch.Sin);
        Array.Fill(batch.Cos, 1);
        var last = sequence.AsSpan(79 * shape.Packed, 16);
        for (var d = 0; d < 16; d++)
            sequence[(40 * shape.Packed) + 16 + d] = 1000 * last[d];
        var outputs = batch.Run(isa, [(0, 80)]);
        AssertSame([.. sequence.AsSpan((40 * shape.Packed) + 32, 16)], [.. outputs[0].TakeLast(16)]);
    }

    [Theory]
    [MemberData(nameof(IsasAndCaches))]
    public void A_NaN_reaches_every_query_that_sees_it_and_no_other(KernelIsa isa, KvCacheFormat cache)
    {
        var shape = new HeadShape(2, 1, 32, 16);
        var batch = new PagedBatch(shape, [90, 20], seed: 4, cache);
        batch.Sequences[0][(70 * shape.Packed) + (2 * 32) + 5] = float.NaN; // a key
        var outputs = batch.Run(isa, [(0, 90), (1, 20)]);
        Assert.All(outputs[0].Take(70 * 64), x => Assert.True(float.IsFinite(x)));
        Assert.All(outputs[0].Skip(70 * 64), x => Assert.True(float.IsNaN(x)));
        Assert.All(outputs[1], x => Assert.True(float.IsFinite(x)));
    }

    /// <summary>Steps that advance random sequences by random numbers of tokens until all are through.</summary>
    private static IEnumerable<(int Sequence, int Tokens)[]> RandomSteps(int[] lengths, int seed)
    {
        var random = new Random(seed);
        var left = lengths.ToArray();
        while (left.Any(tokens => tokens > 0))
        {
            var step = new List<(int, int)>();
            for (var i = 0; i < left.Length; i++)
            {
                var tokens = Math.Min(left[i], random.Next(3) switch { 0 => 0, 1 => 1, _ => random.Next(70) });
                left[i] -= tokens;
                step.Add((i, tokens));
            }

            yield return [.. step];
        }
    }

    private static void AssertAgree(HeadShape shape, PagedBatch batch, List<float>[] outputs)
    {
        for (var i = 0; i < outputs.Length; i++)
            AssertClose(AttentionReference.Attend(shape, batch.Cache, batch.Sequences[i], batch.Cos, batch.Sin), outputs[i]);
    }

    // Values lie in -2…2.
    private static void AssertClose(double[] expected, List<float> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) < 2e-5))
                Assert.Fail($"Element {i} is {actual[i]}, not {expected[i]}.");
        }
    }

    private static void AssertSame(List<float> expected, List<float> actual)
    {
        var bits = MemoryMarshal.Cast<float, int>(CollectionsMarshal.AsSpan(expected));
        Assert.Equal(bits.Length, bits.CommonPrefixLength(MemoryMarshal.Cast<float, int>(CollectionsMarshal.AsSpan(actual))));
        Assert.Equal(expected.Count, actual.Count);
    }
}
