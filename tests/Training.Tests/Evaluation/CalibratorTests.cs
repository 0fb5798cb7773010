using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public class CalibratorTests
{
    private static readonly PointRates Rates = new(0.1, 0.05, 0.01);

    private static readonly List<CalibrationRow> Rows = [.. Enumerable.Range(0, 2000).Select(i =>
    {
        var random = new Random(i);
        var isHarmful = random.Next(3) == 0;
        double Noise() => 4 * random.NextDouble() - 2;
        var sign = isHarmful ? 1 : -1;
        return new CalibrationRow(
            new StageReadings(sign + Noise(), sign + Noise(), Noise() - 0.5 * sign, 0.5 * sign + Noise()), isHarmful,
            [.. Enumerable.Range(0, 4).Select(_ => Verdict(random))]);
    })];

    [Fact]
    public void A_reading_that_speaks_against_harm_gets_no_weight()
    {
        var fit = Calibrator.Fit(Rows, Rates).Calibration;
        Assert.Equal(0, fit.Checked.Category);
        Assert.Equal(0, fit.Unchecked.Category);
        Assert.True(fit.Checked is { Lexical: > 0, Impression: > 0, Verdict: > 0 });
        Assert.Equal(0, fit.Unchecked.Verdict);
    }

    [Theory]
    [InlineData(OperatingPoint.Strict, 0.1)]
    [InlineData(OperatingPoint.Balanced, 0.05)]
    [InlineData(OperatingPoint.Permissive, 0.01)]
    public void At_most_the_stated_share_of_harmless_rows_is_refused(OperatingPoint point, double rate)
    {
        var fit = Calibrator.Fit(Rows, Rates).Calibration;
        var harmless = Rows.Where(r => !r.IsHarmful).ToList();
        var refused = harmless.Count(r => fit.Checked.Probability(r.Readings) >= fit.At(point).ViolationThreshold);
        Assert.InRange(refused / (double)harmless.Count, rate - 0.002, rate);
        Assert.Equal(fit, Calibration.Parse(fit.ToJson()));
    }

    [Fact]
    public void Together_the_readings_separate_better_than_each_alone()
    {
        var fit = Calibrator.Fit(Rows, Rates).Calibration;
        double? Auc(Func<StageReadings, double> read) => Metrics.RocAuc(Rows.Select(r => new Scored(read(r.Readings), r.IsHarmful)));
        Assert.All(Calibrator.Readings, r => Assert.True(Auc(fit.Checked.Probability) > Auc(r.Read)));
    }

    [Fact]
    public void A_temperature_is_taken_where_the_other_readings_are_noise()
    {
        // The impression is right once it is divided by 2; the other readings say nothing.
        var rows = Enumerable.Range(0, 3000).Select(i =>
        {
            var random = new Random(i);
            var logOdds = 6 * random.NextDouble() - 3;
            var isHarmful = random.NextDouble() < Temperature.Probability(logOdds, 1);
            return new CalibrationRow(new StageReadings(0, 2 * logOdds, random.NextDouble() - 0.5, random.NextDouble() - 0.5), isHarmful, []);
        }).ToList();

        var fit = Calibrator.Fit(rows, Rates);

        Assert.Equal([Calibrator.AsIs, Calibrator.ByTemperature, Calibrator.ByLogistic], fit.Decisions.Select(d => d.Name));
        var best = fit.Decisions.MinBy(d => d.LogLoss)!;
        Assert.Equal(best.Name == Calibrator.ByTemperature, fit.Calibration.Checked is { Bias: 0, Lexical: 0, Category: 0, Verdict: 0 });
        Assert.Equal(0.5, fit.Calibration.Checked.Impression, 0.05);
        Assert.True(fit.Decisions[1].CalibrationError < fit.Decisions[0].CalibrationError);
    }

    [Fact]
    public void Verdicts_that_are_too_sure_are_tempered()
    {
        var fit = Calibrator.Fit(Rows, Rates);

        Assert.Equal(3, fit.Calibration.VerdictTemperature, 0.3);
        Assert.True(fit.Verdicts[1].CalibrationError < fit.Verdicts[0].CalibrationError);
    }

    [Fact]
    public void Without_gold_verdicts_they_stay_as_they_are()
    {
        var fit = Calibrator.Fit([.. Rows.Select(r => r with { Verdicts = [] })], Rates);

        Assert.Equal(1, fit.Calibration.VerdictTemperature);
        Assert.Empty(fit.Verdicts);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(4)]
    public void The_temperature_that_made_labels_is_found(double temperature)
    {
        var random = new Random(7);
        var items = Enumerable.Range(0, 20_000).Select(_ =>
        {
            var logOdds = temperature * (6 * random.NextDouble() - 3);
            return (logOdds, random.NextDouble() < Temperature.Probability(logOdds, temperature));
        }).ToList();

        Assert.Equal(temperature, Temperature.Fit(items), 0.06 * temperature);
    }

    /// <summary>Three times too sure.</summary>
    private static (double LogOdds, bool IsViolated) Verdict(Random random)
    {
        var logOdds = 4 * random.NextDouble() - 2;
        return (3 * logOdds, random.NextDouble() < Temperature.Probability(logOdds, 1));
    }
}
