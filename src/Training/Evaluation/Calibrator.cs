using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Training.Evaluation;

/// <summary>Fits a bundle's calibration to what its stages say of labelled rows.</summary>
internal static class Calibrator
{
    /// <summary>Verdicts are checked down to this share of the refusal threshold, so that few refusals are missed for want of a check.</summary>
    private const double CheckShare = 0.4;

    private const double L2 = 1;

    /// <param name="falsePositiveRate">Share of the rows that are not harmful which may be refused.</param>
    /// <exception cref="ArgumentException">Only one label is there.</exception>
    public static Calibration Fit(IReadOnlyList<(StageReadings Readings, bool IsHarmful)> rows, double falsePositiveRate)
    {
        bool[] labels = [.. rows.Select(r => r.IsHarmful)];
        var balance = Balance(labels);
        var before = LogisticRegression.Fit([.. rows.Select(r => new[] { r.Readings.Impression, r.Readings.Category })], labels, balance, L2);
        var after = LogisticRegression.Fit([.. rows.Select(Features)], labels, balance, L2);

        var threshold = Threshold([.. rows.Where(r => !r.IsHarmful).Select(r => after.Probability(Features(r)))], falsePositiveRate);
        return Calibration.Neutral with
        {
            Checked = new StageWeights(after.Intercept, after.Weights[0], after.Weights[1], after.Weights[2]),
            Unchecked = new StageWeights(before.Intercept, before.Weights[0], before.Weights[1], 0),
            ViolationThreshold = threshold,
            CheckThreshold = threshold * CheckShare,
        };
    }

    /// <summary>A rule that was not checked says nothing beyond the category.</summary>
    private static double[] Features((StageReadings Readings, bool IsHarmful) row) =>
        [row.Readings.Impression, row.Readings.Category, row.Readings.Verdict ?? 0];

    /// <summary>Both labels weigh the same: dev sets do not have the share of harmful rows that traffic has.</summary>
    private static double[] Balance(bool[] labels)
    {
        var harmful = labels.Count(l => l);
        return [.. labels.Select(l => 0.5 * labels.Length / (l ? harmful : labels.Length - harmful))];
    }

    /// <summary>The least score that at most a share of the scores reaches.</summary>
    private static double Threshold(double[] scores, double share)
    {
        Array.Sort(scores);
        return Math.Clamp(scores[Math.Min(scores.Length - 1, (int)Math.Ceiling((1 - share) * scores.Length))], 0.05, 0.95);
    }
}
