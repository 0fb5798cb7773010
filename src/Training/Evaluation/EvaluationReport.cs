namespace SaferGuard.Training.Evaluation;

/// <summary>
/// One judge measured on one set. Harmful rows are the positives; borderline-safe and benign rows are the negatives.
/// </summary>
/// <param name="Skipped">Rows that the judge refuses to read because they are too long; they count nowhere else.</param>
/// <param name="Threshold">The score from which on rows count as refused; null where the judge's own decisions do.</param>
/// <param name="Measures">By name; see <see cref="Measure.All"/>.</param>
/// <param name="Groups">By source and label.</param>
/// <param name="Slices">By category, topic, language and attack.</param>
/// <param name="Roc">Thinned to what a picture can show.</param>
public sealed record EvaluationReport(
    string Judge,
    int Rows,
    int Skipped,
    double? Threshold,
    IReadOnlyDictionary<string, Estimate> Measures,
    IReadOnlyList<GroupReport> Groups,
    IReadOnlyList<Slice> Slices,
    IReadOnlyList<ReliabilityBin> Reliability,
    IReadOnlyList<RocPoint> Roc)
{
    internal static EvaluationReport Of(
        string judge, IReadOnlyList<Prediction> predictions, Bootstrap bootstrap, int skipped = 0, double? threshold = null)
    {
        Scored[] scored = [.. predictions.Select(p => p.Scored)];
        return new EvaluationReport(
            judge,
            predictions.Count,
            skipped,
            threshold,
            bootstrap.Estimate(predictions, Measure.All),
            GroupReport.Of(predictions),
            Slice.Of(predictions, bootstrap),
            Metrics.Reliability(scored),
            Thinned(Metrics.RocCurve(scored)));
    }

    /// <summary>Only points that differ from the one before by half a hundredth, about two pixels.</summary>
    private static IReadOnlyList<RocPoint> Thinned(IReadOnlyList<RocPoint> curve) => [.. curve.DistinctBy(p => (Step(p.Fpr), Step(p.Recall)))];

    private static int Step(double share) => (int)Math.Round(share * 200);
}
