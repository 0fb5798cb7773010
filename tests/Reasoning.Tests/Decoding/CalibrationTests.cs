using System.Text;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Reasoning.Tests.Decoding;

public class CalibrationTests
{
    [Fact]
    public void A_written_calibration_is_read_as_it_was()
    {
        var calibration = Calibration.Neutral with { Checked = new StageWeights(-1, 0.5, 0.25, 0.1, 0.7), ViolationThreshold = 0.4 };
        Assert.Equal(calibration, Calibration.Parse(calibration.ToJson()));
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
    public void Thresholds_out_of_range_are_refused() =>
        Assert.Throws<InvalidDataException>(() => Calibration.Parse((Calibration.Neutral with { ViolationThreshold = 1.5 }).ToJson()));
}
