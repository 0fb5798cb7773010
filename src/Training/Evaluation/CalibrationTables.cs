using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>The report of <c>calibrate</c>: what each reading says, how good the probabilities are before and after, and what the points cost.</summary>
internal static class CalibrationTables
{
    public static IEnumerable<ReportTable> Of(IReadOnlyList<LabelledRow> rows, IReadOnlyList<CalibrationRow> read, CalibrationFit fit) =>
    [
        Readings(read, fit.Calibration),
        Candidates("Probability of a refusal, cross-validated", fit.Decisions),
        .. fit.Verdicts.Count == 0 ? (ReportTable[])[] : [Candidates("Probability of a violation, each checked rule, cross-validated", fit.Verdicts)],
        Points(rows, read, fit.Calibration),
    ];

    /// <summary>What each reading says alone, and what it weighs together with the others.</summary>
    private static ReportTable Readings(IReadOnlyList<CalibrationRow> read, Calibration calibration)
    {
        double[] isUnchecked = Weights(calibration.Unchecked), isChecked = Weights(calibration.Checked);
        return new ReportTable(
            "Readings", ["reading", "AUC alone", "weight unchecked", "weight checked"], 1,
            [
                .. Calibrator.Readings.Select((r, i) =>
                    (string[])[r.Name, Auc(r.Read), EvaluationTables.Rate(isUnchecked[i]), EvaluationTables.Rate(isChecked[i])]),
                ["together", Auc(calibration.Checked.Probability), "", ""],
                ["verdict temperature", "", "", EvaluationTables.Rate(calibration.VerdictTemperature)],
            ]);

        string Auc(Func<StageReadings, double> of) => EvaluationTables.Rate(Metrics.RocAuc(read.Select(r => new Scored(of(r.Readings), r.IsHarmful))));
    }

    private static double[] Weights(StageWeights weights) => [weights.Lexical, weights.Impression, weights.Category, weights.Verdict];

    private static ReportTable Candidates(string title, IReadOnlyList<CandidateFit> candidates) => new(
        title, ["calibrated by", "AUC", "log loss", "calibration error"], 1,
        [.. candidates.Select(c => (string[])
            [c.Name, EvaluationTables.Rate(c.Auc), EvaluationTables.Number(c.LogLoss, "0.0000"), EvaluationTables.Number(c.CalibrationError, "0.0000")])]);

    private static ReportTable Points(IReadOnlyList<LabelledRow> rows, IReadOnlyList<CalibrationRow> read, Calibration calibration) => new(
        "Operating points, on the rows that they were fitted to", ["point", "threshold", "FPR", "FPR, benign", "over-refusal", "recall"], 1,
        [.. calibration.Points.Select(point =>
        {
            var threshold = calibration.At(point).ViolationThreshold;
            Prediction[] predictions = [.. rows.Zip(read, (row, r) => Decide(row, calibration.Checked.Probability(r.Readings), threshold))];
            return (string[])
            [
                point.ToString().ToLowerInvariant(), EvaluationTables.Rate(threshold), Refused(r => !r.IsHarmful), Refused(r => r.Label == Label.Benign),
                Refused(r => r.Label == Label.BorderlineSafe), Refused(r => r.IsHarmful),
            ];

            string Refused(Func<LabelledRow, bool> isCounted) => EvaluationTables.Rate(Measure.Refused(predictions, isCounted));
        })]);

    private static Prediction Decide(LabelledRow row, double score, double threshold) => new(row, score, score >= threshold);
}
