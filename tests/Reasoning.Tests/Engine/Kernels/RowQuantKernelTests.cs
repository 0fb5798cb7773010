using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed unsafe class RowQuantKernelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(31)]
    [InlineData(576)]
    [InlineData(1003)]
    public void All_instruction_sets_give_the_same_bytes_within_half_a_step(int columns)
    {
        var random = new Random(columns);
        var x = new float[8 * columns];
        for (var i = 0; i < x.Length; i++)
            x[i] = (random.NextSingle() - 0.5f) * MathF.Pow(10, (i / columns) - 3);
        var (expected, magnitudes) = Quantise(KernelIsa.Scalar, x, columns);
        for (var i = 0; i < x.Length; i++)
        {
            var magnitude = magnitudes[i / columns];
            Assert.InRange(MathF.Abs(x[i] - ((expected[i] - 128) * magnitude / 127)), 0, 0.5001f * magnitude / 127);
        }

        Assert.Equal(x.Chunk(columns).Select(row => row.Max(MathF.Abs)), magnitudes);
        AssertSame(expected, magnitudes, x, columns);
    }

    [Fact]
    public void Ties_go_to_the_even_step_on_every_instruction_set()
    {
        float[] x = [.. Enumerable.Range(-127, 255).Select(i => i - 0.5f).Append(-127).Append(127).Where(v => v >= -127)];
        var (quantised, magnitudes) = Quantise(KernelIsa.Scalar, x, x.Length);
        Assert.Equal(x.Select(v => (byte)(Math.Round(v, MidpointRounding.ToEven) + 128)), quantised);
        AssertSame(quantised, magnitudes, x, x.Length);
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void A_row_of_zeros_becomes_zeros(KernelIsa isa)
    {
        var (quantised, magnitudes) = Quantise(isa, new float[37], 37);
        Assert.All(quantised, q => Assert.Equal(128, q));
        Assert.InRange(magnitudes[0], float.Epsilon, 1e-6f);
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void The_extremes_of_floats_are_quantised_like_any_other(KernelIsa isa)
    {
        float[] x = [float.MaxValue, -float.MaxValue, float.Epsilon, -0f, .. new float[30]];
        var (quantised, _) = Quantise(isa, x, x.Length);
        Assert.Equal([255, 1, 128, 128], quantised.Take(4));
    }

    [Fact]
    public void A_row_that_is_not_finite_says_so_and_leaves_the_others_alone()
    {
        foreach (var isa in SupportedIsas.All)
        {
            foreach (var poison in (float[])[float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity])
            {
                for (var at = 0; at < 37; at++)
                {
                    var x = Enumerable.Repeat(1f, 3 * 37).ToArray();
                    x[37 + at] = poison;
                    var (quantised, magnitudes) = Quantise(isa, x, 37);
                    Assert.Equal([1f, float.NaN, 1f], magnitudes);
                    Assert.All(quantised.Skip(37).Take(37), q => Assert.Equal(128, q));
                    Assert.All(quantised.Take(37).Concat(quantised.Skip(74)), q => Assert.Equal(255, q));
                }
            }
        }
    }

    private static void AssertSame(byte[] expected, float[] magnitudes, float[] x, int columns)
    {
        foreach (var isa in SupportedIsas.All)
        {
            var (quantised, others) = Quantise(isa, x, columns);
            Assert.Equal(expected, quantised);
            Assert.Equal(magnitudes, others);
        }
    }

    private static (byte[] Quantised, float[] Magnitudes) Quantise(KernelIsa isa, float[] x, int columns)
    {
        var rows = x.Length / columns;
        var (quantised, magnitudes) = (new byte[x.Length], new float[rows]);
        fixed (float* source = x, m = magnitudes)
        fixed (byte* target = quantised)
            RowQuantKernel.Quantise(isa, source, 0, rows, columns, target, m);
        return (quantised, magnitudes);
    }
}
