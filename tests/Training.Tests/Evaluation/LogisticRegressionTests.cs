using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class LogisticRegressionTests
{
    [Fact]
    public void Without_information_the_intercept_is_the_log_odds()
    {
        var model = LogisticRegression.Fit([[0], [0], [0], [0]], [true, true, true, false], [1, 1, 1, 1], l2: 1);

        Assert.Equal(Math.Log(3), model.Intercept, 6);
        Assert.Equal(0.75, model.Probability([0]), 6);
    }

    [Fact]
    public void A_binary_feature_gets_its_log_odds_ratio()
    {
        // 1 of 4 positive where x is 0, 3 of 4 where it is 1.
        double[][] x = [[0], [0], [0], [0], [1], [1], [1], [1]];
        bool[] y = [true, false, false, false, true, true, true, false];

        var model = LogisticRegression.Fit(x, y, [1, 1, 1, 1, 1, 1, 1, 1], l2: 1e-9);

        Assert.Equal(-Math.Log(3), model.Intercept, 5);
        Assert.Equal(2 * Math.Log(3), model.Weights[0], 5);
    }

    [Fact]
    public void A_weight_of_two_is_the_row_twice()
    {
        var (x, y) = Sample(rows: 50, seed: 3);
        double[] weights = [.. y.Select((_, i) => i % 2 == 0 ? 2.0 : 1.0)];
        double[][] repeated = [.. x.SelectMany((row, i) => Enumerable.Repeat(row, (int)weights[i]))];
        bool[] labels = [.. y.SelectMany((label, i) => Enumerable.Repeat(label, (int)weights[i]))];

        AssertClose(
            LogisticRegression.Fit(repeated, labels, [.. labels.Select(_ => 1.0)], l2: 0.5),
            LogisticRegression.Fit(x, y, weights, l2: 0.5));
    }

    [Fact]
    public void The_gradient_vanishes_at_the_solution()
    {
        const double l2 = 0.3;
        var (x, y) = Sample(rows: 200, seed: 7);

        var model = LogisticRegression.Fit(x, y, [.. y.Select(_ => 1.0)], l2);

        double Error(int r) => model.Probability(x[r]) - (y[r] ? 1 : 0);
        Assert.Equal(0, Enumerable.Range(0, x.Length).Sum(Error), 4);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, Enumerable.Range(0, x.Length).Sum(r => Error(r) * x[r][i]) + l2 * model.Weights[i], 4);
        }
    }

    [Fact]
    public void Separable_rows_have_a_finite_solution()
    {
        var model = LogisticRegression.Fit([[-1000], [-900], [900], [1000]], [false, false, true, true], [1, 1, 1, 1], l2: 1e-3);

        Assert.True(double.IsFinite(model.Weights[0]) && double.IsFinite(model.Intercept));
        Assert.True(model.Probability([1000]) > 0.9 && model.Probability([-1000]) < 0.1);
    }

    [Fact]
    public void One_label_alone_is_refused()
    {
        Assert.Throws<ArgumentException>(() => LogisticRegression.Fit([[1], [2]], [true, true], [1, 1], l2: 1));
        Assert.Throws<ArgumentException>(() => LogisticRegression.Fit([[1], [2]], [true, false], [1, 0], l2: 1));
    }

    private static (double[][] X, bool[] Y) Sample(int rows, int seed)
    {
        var random = new Random(seed);
        double[][] x = [.. Enumerable.Range(0, rows).Select(_ => new[] { random.NextDouble(), random.NextDouble() * 5, random.NextDouble() - 3 })];
        return (x, [.. x.Select(row => row[0] * 2 - row[1] + row[2] + 4 * random.NextDouble() + 1 > 0)]);
    }

    private static void AssertClose(LogisticRegression expected, LogisticRegression actual)
    {
        Assert.Equal(expected.Intercept, actual.Intercept, 4);
        Assert.All(expected.Weights.Zip(actual.Weights), pair => Assert.Equal(pair.First, pair.Second, 4));
    }
}
