using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Training.Evaluation;

/// <summary>Fits a bundle's calibration to what its stages say of labelled rows.</summary>
internal static class Calibrator
{
    /// <summary>Verdicts are checked down to this share of the refusal threshold, so that few refusals are missed for want of a check.</summary>
    private const double CheckShare = 0.4;

    /// <summary>Requests are answered with care from this share of the refusal threshold on.</summary>
    private const double CareShare = 0.75;

    private const double L2 = 1;

    /// <summary>The readings by name, in the order of <see cref="StageWeights"/>.</summary>
    public static IReadOnlyList<(string Name, Func<StageReadings, double> Read)> Readings { get; } =
    [
        (nameof(StageReadings.Lexical), r => r.Lexical),
        (nameof(StageReadings.Impression), r => r.Impression),
        (nameof(StageReadings.Category), r => r.Category),
        (nameof(StageReadings.Verdict), r => r.Verdict),
    ];

    /// <param name="falsePositiveRate">Share of the rows that are not harmful which may be refused.</param>
    /// <exception cref="ArgumentException">Only one label is there.</exception>
    public static Calibration Fit(IReadOnlyList<(StageReadings Readings, bool IsHarmful)> rows, double falsePositiveRate)
    {
        var isChecked = Fit(rows, [0, 1, 2, 3]);
        var threshold = Threshold([.. rows.Where(r => !r.IsHarmful).Select(r => isChecked.Probability(r.Readings))], falsePositiveRate);
        return Calibration.Neutral with
        {
            Checked = isChecked,
            Unchecked = Fit(rows, [0, 1, 2]),
            ViolationThreshold = threshold,
            CareThreshold = threshold * CareShare,
            CheckThreshold = threshold * CheckShare,
        };
    }

    /// <summary>
    /// No weight is negative: that more evidence of harm should lower the probability of it can only be a quirk of the rows. Readings that would
    /// get a negative weight are left out, the worst first.
    /// </summary>
    private static StageWeights Fit(IReadOnlyList<(StageReadings Readings, bool IsHarmful)> rows, int[] used)
    {
        bool[] labels = [.. rows.Select(r => r.IsHarmful)];
        var fit = LogisticRegression.Fit([.. rows.Select(r => used.Select(u => Readings[u].Read(r.Readings)).ToArray())], labels, [.. labels.Select(_ => 1.0)], L2);
        var worst = Enumerable.Range(0, used.Length).MinBy(i => fit.Weights[i]);
        if (fit.Weights[worst] < 0 && used.Length > 1) return Fit(rows, [.. used.Where((_, i) => i != worst)]);
        var weights = new double[Readings.Count];
        for (var i = 0; i < used.Length; i++) weights[used[i]] = fit.Weights[i];
        return new StageWeights(fit.Intercept, weights[0], weights[1], weights[2], weights[3]);
    }

    /// <summary>The least score that at most a share of the scores reaches.</summary>
    private static double Threshold(double[] scores, double share)
    {
        Array.Sort(scores);
        return Math.Clamp(scores[Math.Min(scores.Length - 1, (int)Math.Ceiling((1 - share) * scores.Length))], 0.05, 0.95);
    }
}
