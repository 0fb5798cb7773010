using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>Attention that finishes an int8 product itself, against attention over what was finished before.</summary>
public sealed unsafe class PackedHeadsTests
{
    public static TheoryData<KernelIsa, int, bool, bool> IsasAndShapes() => new(
        from isa in SupportedIsas.All
        from headSize in (int[])[10, 32, 64, 80]
        from hasBias in (bool[])[false, true]
        from hasNorms in (bool[])[false, true]
        select (isa, headSize, hasBias, hasNorms));

    [Theory]
    [MemberData(nameof(IsasAndShapes))]
    public void A_product_is_finished_before_it_is_attended_to(KernelIsa isa, int headSize, bool hasBias, bool hasNorms)
    {
        const int tokens = 50;
        var shape = new HeadShape(6, 2, headSize, 16);
        var raw = new PagedBatch(shape, [tokens], seed: headSize);
        var finished = new PagedBatch(shape, [tokens], seed: headSize);
        var random = new Random(9);
        float[] magnitudes = Floats(tokens), bias = Floats(shape.Packed), queryNorm = Floats(headSize), keyNorm = Floats(headSize);
        finished.Sequences[0] = [.. finished.Sequences[0].Select((x, i) =>
            (x * magnitudes[i / shape.Packed]) + (hasBias ? bias[i % shape.Packed] : 0))];
        if (hasNorms)
        {
            for (var head = 0; head < tokens * shape.Packed / headSize; head++)
            {
                var inToken = head % (shape.Packed / headSize);
                if (inToken < 8) Normalise(finished.Sequences[0].AsSpan(head * headSize, headSize), inToken < 6 ? queryNorm : keyNorm);
            }
        }

        finished.Run(isa, [(0, tokens)]);
        var job = raw.Prepare(isa, (0, tokens));
        fixed (float* m = magnitudes, b = bias, q = queryNorm, k = keyNorm)
        {
            job.Magnitudes = m;
            job.Bias = hasBias ? b : null;
            job.QueryNorm = hasNorms ? q : null;
            job.KeyNorm = hasNorms ? k : null;
            job.NormEpsilon = 1e-6f;
            job.Validate();
            PagedAttentionKernel.WriteCache(&job, 0, tokens);
            for (var unit = 0; unit < job.Units; unit++)
                PagedAttentionKernel.Attend(&job, unit);
        }

        // Without norms it is the same arithmetic.
        Assert.All(finished.Output.Zip(raw.Output), pair => Assert.Equal(pair.First, pair.Second, hasNorms ? 2e-5 : 0));

        float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() + 0.5f)];
    }

    private static void Normalise(Span<float> head, float[] weight)
    {
        double squares = 0;
        foreach (var x in head) squares += (double)x * x;
        var scale = 1 / Math.Sqrt((squares / head.Length) + 1e-6);
        for (var i = 0; i < head.Length; i++) head[i] = (float)(head[i] * scale * weight[i]);
    }
}
