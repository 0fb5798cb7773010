using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public class CalibratorTests
{
    private static readonly List<(StageReadings, bool)> Rows = [.. Enumerable.Range(0, 2000).Select(i =>
    {
        var random = new Random(i);
        var isHarmful = random.Next(3) == 0;
        double Noise() => 4 * random.NextDouble() - 2;
        var sign = isHarmful ? 1 : -1;
        return (new StageReadings(sign + Noise(), sign + Noise(), Noise() - 0.5 * sign, 0.5 * sign + Noise()), isHarmful);
    })];

    [Fact]
    public void A_reading_that_speaks_against_harm_gets_no_weight()
    {
        var fit = Calibrator.Fit(Rows, 0.05);
        Assert.Equal(0, fit.Checked.Category);
        Assert.Equal(0, fit.Unchecked.Category);
        Assert.True(fit.Checked is { Lexical: > 0, Impression: > 0, Verdict: > 0 });
        Assert.Equal(0, fit.Unchecked.Verdict);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.1)]
    public void At_most_the_stated_share_of_harmless_rows_is_refused(double rate)
    {
        var fit = Calibrator.Fit(Rows, rate);
        var harmless = Rows.Where(r => !r.Item2).ToList();
        var refused = harmless.Count(r => fit.Checked.Probability(r.Item1) >= fit.ViolationThreshold);
        Assert.InRange(refused / (double)harmless.Count, rate / 2, rate);
    }

    [Fact]
    public void Together_the_readings_separate_better_than_each_alone()
    {
        var fit = Calibrator.Fit(Rows, 0.05);
        double? Auc(Func<StageReadings, double> read) => Metrics.RocAuc(Rows.Select(r => new Scored(read(r.Item1), r.Item2)));
        Assert.All(Calibrator.Readings, r => Assert.True(Auc(fit.Checked.Probability) > Auc(r.Read)));
    }
}
