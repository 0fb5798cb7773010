using CsCheck;

namespace SaferGuard.Exporter.Tests;

public sealed class QuantiserTests
{
    private static readonly Gen<(float[] Weights, int Columns)> Matrices = Gen.Select(Gen.Int[1, 4], Gen.Int[1, 70], Gen.Float[-3, 3].Array[280])
        .Select((rows, columns, values) => (values[..(rows * columns)], columns));

    [Fact]
    public void Eight_bits_are_at_most_half_a_step_away() => Matrices.Sample(m =>
    {
        var (values, scales) = Quantiser.PerRow(m.Weights, m.Columns);
        for (var i = 0; i < values.Length; i++)
        {
            var scale = scales[i / m.Columns];
            Assert.InRange(MathF.Abs(values[i] * scale - m.Weights[i]), 0, scale * 0.5001f);
        }
    });

    [Fact]
    public void Four_bits_are_at_most_half_a_step_away_and_padding_is_zero() => Matrices.Sample(m =>
    {
        var (values, scales) = Quantiser.PerBlock(m.Weights, m.Columns);
        var blocks = Quantiser.BlocksOf(m.Columns);
        Assert.Equal(m.Weights.Length / m.Columns * blocks * 16, values.Length);
        for (var i = 0; i < values.Length * 2; i++)
        {
            var (block, column) = (i / 32, i / 32 % blocks * 32 + i % 32);
            var value = ((values[i / 2] >> (i % 2 * 4)) & 15) - 8;
            if (column >= m.Columns) Assert.Equal(0, value);
            else Assert.InRange(MathF.Abs(value * scales[block] - m.Weights[block / blocks * m.Columns + column]), 0, scales[block] * 0.5001f);
        }
    });

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-45f)]
    [InlineData(1e-38f)]
    [InlineData(float.MaxValue)]
    public void Extreme_weights_have_finite_scales(float weight)
    {
        var (values, scales) = Quantiser.PerRow([weight, -weight], 2);
        Assert.True(float.IsNormal(scales[0]));
        Assert.Equal(values[0], -values[1]);
        Assert.True(float.IsNormal(Quantiser.PerBlock([weight], 1).Scales[0]));
    }

    [Fact]
    public void Transposing_twice_gives_the_matrix() => Matrices.Sample(m =>
        Assert.Equal(m.Weights, Quantiser.Transpose<float>(Quantiser.Transpose<float>(m.Weights, m.Columns), m.Weights.Length / m.Columns)));
}
