using System.Text;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Tests.Decoding;

public class CalibrationTests
{
    private static readonly OperatingPoints Points = new(new Thresholds(0.3, 0.2, 0.1, 0.1), new Thresholds(0.8, 0.6, 0.3, 0.01));

    [Fact]
    public void A_written_calibration_is_read_as_it_was()
    {
        var calibration = Calibration.Neutral with { Checked = new StageWeights(-1, 0.5, 0.25, 0.1, 0.7), ViolationThreshold = 0.4 };
        Assert.Equal(calibration, Calibration.Parse(calibration.ToJson()));

        var complete = calibration with { VerdictTemperature = 1.5, FalsePositiveRate = 0.05, OperatingPoints = Points };
        Assert.Equal(complete, Calibration.Parse(complete.ToJson()));
    }

    [Fact]
    public void Neutral_weights_take_the_models_own_probabilities()
    {
        Assert.Equal(0.5, Calibration.Neutral.Checked.Probability(new StageReadings(9, 9, 9, 0)), 9);
        Assert.Equal(1 / (1 + Math.Exp(-2)), Calibration.Neutral.Unchecked.Probability(new StageReadings(9, 2, 9, 9)), 9);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"surprise\": 1}")]
    public void What_is_not_a_calibration_is_refused(string json) =>
        Assert.Throws<InvalidDataException>(() => Calibration.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void The_thresholds_of_a_file_without_operating_points_are_the_balanced_ones()
    {
        var calibration = Calibration.Parse("""
            {
              "checked": { "bias": 0, "lexical": 0, "impression": 0, "category": 0, "verdict": 1 },
              "unchecked": { "bias": 0, "lexical": 0, "impression": 1, "category": 0, "verdict": 0 },
              "violation_threshold": 0.5, "care_threshold": 0.4, "check_threshold": 0.25, "category_threshold": 0.3
            }
            """u8);

        Assert.Equal(Calibration.Neutral, calibration);
        Assert.Equal([OperatingPoint.Balanced], calibration.Points);
        Assert.Equal(calibration, calibration.At(OperatingPoint.Balanced));
        Assert.Throws<ArgumentException>(() => calibration.At(OperatingPoint.Strict));
    }

    [Fact]
    public void An_operating_point_changes_thresholds_alone()
    {
        var calibration = Calibration.Neutral with { OperatingPoints = Points };

        Assert.Equal(calibration with { ViolationThreshold = 0.3, CareThreshold = 0.2, CheckThreshold = 0.1 }, calibration.At(OperatingPoint.Strict));
        Assert.Equal(0.8, calibration.At(OperatingPoint.Permissive).ViolationThreshold);
        Assert.Equal(calibration, calibration.At(OperatingPoint.Balanced));
    }

    [Fact]
    public void A_verdict_temperature_divides_the_log_odds()
    {
        var calibration = Calibration.Neutral with { VerdictTemperature = 2 };

        // p = 0.8 has the odds 4; half the log-odds are the odds 2.
        Assert.Equal(2.0 / 3, calibration.Violation(0.8), 12);
        Assert.Equal(0.5, calibration.Violation(0.5), 12);
        Assert.Equal(0.8, Calibration.Neutral.Violation(0.8));
    }

    [Fact]
    public void Operating_points_that_are_out_of_order_are_refused()
    {
        var swapped = Calibration.Neutral with { OperatingPoints = new OperatingPoints(Points.Permissive, Points.Strict) };
        var careless = Calibration.Neutral with { OperatingPoints = Points with { Strict = new Thresholds(0.3, 0.2, 0.4) } };

        Assert.Contains("strict", Assert.Throws<InvalidDataException>(() => Calibration.Parse(swapped.ToJson())).Message);
        Assert.Throws<InvalidDataException>(() => Calibration.Parse(careless.ToJson()));
        Assert.Throws<InvalidDataException>(() => Calibration.Parse((Calibration.Neutral with { VerdictTemperature = 0 }).ToJson()));
    }

    [Fact]
    public void Thresholds_out_of_range_are_refused() =>
        Assert.Throws<InvalidDataException>(() => Calibration.Parse((Calibration.Neutral with { ViolationThreshold = 1.5 }).ToJson()));
}
