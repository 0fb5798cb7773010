using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Tests.Checkpoints;

public sealed class RotaryFrequenciesTests
{
    /// <summary>Llama 3.2 1B.</summary>
    private static readonly ModelConfig Llama = new()
    {
        HeadDim = 64,
        RopeTheta = 500000,
        RopeScaling = new RopeScaling(Factor: 32, LowFreqFactor: 1, HighFreqFactor: 4, OriginalMaxPositionEmbeddings: 8192),
    };

    /// <summary>
    /// By hand from the published formula, with f = 500000^(-i/32) and w = 2π/f: below w = 2048 f stays; above w = 8192 it is f/32; between them
    /// it is (1 - s) f/32 + s f with s = (8192/w - 1)/3.
    /// </summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0.6636012376960885)]      // w = 9.468
    [InlineData(14, 3.2114459947525913e-3)]  // w = 1956.5: the last that stays
    [InlineData(15, 1.290547928209264e-3)]   // w = 2948.3, s = 0.592849
    [InlineData(17, 9.70828780262767e-5)]    // w = 6695.1, s = 0.074527
    [InlineData(18, 1.9461638184831125e-5)]  // w = 10089: the first that is slow
    [InlineData(31, 9.418306725434909e-8)]   // w = 2084765
    public void Llama_3_turns_as_published(int pair, double radians) =>
        Assert.Equal(radians, RotaryFrequencies.Of(Llama)[pair], 1e-12 * radians);

    [Fact]
    public void Without_a_scaling_frequencies_fall_geometrically()
    {
        var frequencies = RotaryFrequencies.Of(new ModelConfig { HeadDim = 8, RopeTheta = 10000 });
        double[] expected = [1, 0.1, 0.01, 0.001];
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], frequencies[i], 1e-12);
    }
}
