using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed unsafe class SwiGluQuantKernelTests
{
    private const int Rows = 5;

    public static TheoryData<KernelIsa, int, bool> IsasAndColumns() => new(
        from isa in SupportedIsas.All
        from columns in (int[])[1, 7, 16, 31, 384, 1003]
        from hasBias in (bool[])[false, true]
        select (isa, columns, hasBias));

    [Theory]
    [MemberData(nameof(IsasAndColumns))]
    public void The_bytes_are_those_of_the_formula(KernelIsa isa, int columns, bool hasBias)
    {
        var random = new Random(columns);
        var product = Floats(random, 2 * Rows * columns);
        var bias = Floats(random, 2 * columns);
        float[] scales = [1f, 0.25f, 4f, 1e-3f, 0.5f];
        var (bytes, magnitudes) = Run(isa, product, scales, hasBias ? bias : null);
        for (var row = 0; row < Rows; row++)
        {
            double At(int i) => ((double)product[(2 * row * columns) + i] * scales[row]) + (hasBias ? bias[i] : 0);
            var inner = Enumerable.Range(0, columns).Select(i => At(i) / (1 + Math.Exp(-At(i))) * At(columns + i)).ToArray();
            Assert.Equal(1, magnitudes[row] / inner.Max(Math.Abs), 1e-5);
            Assert.All(inner, (y, i) => Assert.InRange((bytes[(row * columns) + i] - 128) - (y * 127 / magnitudes[row]), -0.501, 0.501));
        }
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void A_row_that_is_not_finite_says_so_and_leaves_the_others_alone(KernelIsa isa)
    {
        const int columns = 37;
        var product = Floats(new Random(1), 2 * Rows * columns);
        float[] scales = [1, 1, 1, 1, 1];
        var untouched = Run(isa, product, scales, null);
        foreach (var poison in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            foreach (var at in (int[])[0, 20, 36, 37, 73])
            {
                float[] poisoned = [.. product];
                poisoned[(2 * 2 * columns) + at] = poison;
                AssertPoisoned(Run(isa, poisoned, scales, null));
            }

            AssertPoisoned(Run(isa, product, [1, 1, poison, 1, 1], null));
        }

        void AssertPoisoned((byte[] Bytes, float[] Magnitudes) poisoned)
        {
            Assert.Equal([.. untouched.Magnitudes[..2], float.NaN, .. untouched.Magnitudes[3..]], poisoned.Magnitudes);
            Assert.Equal([.. untouched.Bytes[..74], .. Enumerable.Repeat((byte)128, 37), .. untouched.Bytes[111..]], poisoned.Bytes);
        }
    }

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * 8)];

    private static (byte[] Bytes, float[] Magnitudes) Run(KernelIsa isa, float[] product, float[] scales, float[]? biases)
    {
        var (bytes, magnitudes) = (new byte[product.Length / 2], new float[Rows]);
        fixed (float* source = product, scale = scales, bias = biases, largest = magnitudes)
        fixed (byte* quantised = bytes)
        {
            var job = new SwiGluQuantJob
            {
                Product = source,
                Magnitudes = scale,
                Bias = bias,
                Quantised = quantised,
                QuantisedMagnitudes = largest,
                Rows = Rows,
                Columns = product.Length / (2 * Rows),
                Isa = isa,
            };
            SwiGluQuantKernel.Run(&job, 0, Rows);
        }

        return (bytes, magnitudes);
    }
}
