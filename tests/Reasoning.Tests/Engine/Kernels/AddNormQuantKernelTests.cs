using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed unsafe class AddNormQuantKernelTests
{
    private const int Rows = 5;
    private const float Epsilon = 1e-5f;

    public static TheoryData<KernelIsa, int, bool> IsasAndColumns() => new(
        from isa in SupportedIsas.All
        from columns in (int[])[1, 7, 16, 31, 576, 1003]
        from hasBias in (bool[])[false, true]
        select (isa, columns, hasBias));

    [Theory]
    [MemberData(nameof(IsasAndColumns))]
    public void Sums_norms_and_bytes_are_those_of_the_formula(KernelIsa isa, int columns, bool hasBias)
    {
        var given = new Given(columns, hasBias, seed: columns);
        var (sums, bytes, magnitudes) = given.Run(isa);
        for (var row = 0; row < Rows; row++)
        {
            var sum = Enumerable.Range(0, columns).Select(i => ((double)given.Product[(row * columns) + i] * given.Magnitudes[row])
                + given.Residual[(row * columns) + i] + (hasBias ? given.Bias[i] : 0)).ToArray();
            var scale = 1 / Math.Sqrt(sum.Average(x => x * x) + Epsilon);
            var normed = sum.Select((x, i) => x * scale * given.Weight[i]).ToArray();
            Assert.All(sum, (x, i) => Assert.Equal(x, sums[(row * columns) + i], 1e-6));
            Assert.Equal(1, magnitudes[row] / normed.Max(Math.Abs), 1e-5);
            Assert.All(normed, (y, i) => Assert.InRange((bytes[(row * columns) + i] - 128) - (y * 127 / magnitudes[row]), -0.501, 0.501));
        }
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void A_row_that_is_not_finite_says_so_and_leaves_the_others_alone(KernelIsa isa)
    {
        foreach (var poison in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            foreach (var at in (int[])[0, 20, 36])
            {
                var given = new Given(37, hasBias: false, seed: 1);
                var untouched = given.Run(isa);
                given.Residual[(2 * 37) + at] = poison;
                AssertPoisoned(untouched, given.Run(isa));
            }

            var whole = new Given(37, hasBias: false, seed: 1);
            var before = whole.Run(isa);
            whole.Magnitudes[2] = poison;
            AssertPoisoned(before, whole.Run(isa));
        }

        static void AssertPoisoned((float[], byte[] Bytes, float[] Magnitudes) untouched, (float[], byte[] Bytes, float[] Magnitudes) poisoned)
        {
            Assert.Equal([.. untouched.Magnitudes[..2], float.NaN, .. untouched.Magnitudes[3..]], poisoned.Magnitudes);
            Assert.Equal([.. untouched.Bytes[..74], .. Enumerable.Repeat((byte)128, 37), .. untouched.Bytes[111..]], poisoned.Bytes);
        }
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void A_row_of_zeros_becomes_zeros(KernelIsa isa)
    {
        var given = new Given(37, hasBias: false, seed: 1);
        given.Product.AsSpan(37, 37).Clear();
        given.Residual.AsSpan(37, 37).Clear();
        var (_, bytes, magnitudes) = given.Run(isa);
        Assert.All(bytes[37..74], q => Assert.Equal(128, q));
        Assert.InRange(magnitudes[1], float.Epsilon, 1e-6f);
    }

    private sealed class Given
    {
        private readonly bool hasBias;

        public Given(int columns, bool hasBias, int seed)
        {
            this.hasBias = hasBias;
            var random = new Random(seed);
            (Product, Magnitudes, Residual, Weight, Bias) = (Floats(Rows * columns), Floats(Rows), Floats(Rows * columns), Floats(columns), Floats(columns));

            float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        }

        public float[] Product { get; }

        public float[] Magnitudes { get; }

        public float[] Residual { get; }

        public float[] Weight { get; }

        public float[] Bias { get; }

        public (float[] Sums, byte[] Bytes, float[] Magnitudes) Run(KernelIsa isa)
        {
            var (sums, bytes, magnitudes) = (new float[Product.Length], new byte[Product.Length], new float[Rows]);
            fixed (float* product = Product, scales = Magnitudes, residual = Residual, weight = Weight, bias = Bias, sum = sums, largest = magnitudes)
            fixed (byte* quantised = bytes)
            {
                var job = new AddNormQuantJob
                {
                    Product = product,
                    Magnitudes = scales,
                    Residual = residual,
                    Weight = weight,
                    Bias = hasBias ? bias : null,
                    Sum = sum,
                    Quantised = quantised,
                    QuantisedMagnitudes = largest,
                    Rows = Rows,
                    Columns = Weight.Length,
                    Epsilon = Epsilon,
                    Isa = isa,
                };
                AddNormQuantKernel.Run(&job, 0, Rows);
            }

            return (sums, bytes, magnitudes);
        }
    }
}
