using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed class VectorMathTests
{
    [Fact]
    public void Exp_is_right_to_a_few_units_in_the_last_place_and_exact_at_its_ends()
    {
        for (var x = -87f; x <= 0; x += 0.007f)
            Assert.InRange(VectorMath<ScalarSimd, float>.Exp(x) / Math.Exp(x), 1 - 3e-7, 1 + 3e-7);
        Assert.Equal(1f, VectorMath<ScalarSimd, float>.Exp(0));
        Assert.Equal(0f, VectorMath<ScalarSimd, float>.Exp(-87.1f));
        Assert.Equal(0f, VectorMath<ScalarSimd, float>.Exp(float.NegativeInfinity));
        Assert.True(float.IsNaN(VectorMath<ScalarSimd, float>.Exp(float.NaN)));
    }

    [Fact]
    public void Silu_is_right_to_a_few_units_in_the_last_place_on_both_sides_of_zero()
    {
        for (var x = -80f; x <= 80; x += 0.013f)
            Assert.InRange(VectorMath<ScalarSimd, float>.Silu(x) / (x / (1 + Math.Exp(-x))), 1 - 5e-7, 1 + 5e-7);
        Assert.Equal(0f, VectorMath<ScalarSimd, float>.Silu(0));
        Assert.Equal(float.MaxValue, VectorMath<ScalarSimd, float>.Silu(float.MaxValue));
        Assert.Equal(0f, VectorMath<ScalarSimd, float>.Silu(-float.MaxValue));
        Assert.True(float.IsNaN(VectorMath<ScalarSimd, float>.Silu(float.NaN)));
    }
}
