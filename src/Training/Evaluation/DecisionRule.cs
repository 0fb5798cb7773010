using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Training.Evaluation;

/// <summary>When a row counts as refused: by the judge's own decision, unless one of the two others is given.</summary>
/// <param name="Point">The operating point at which a guard decides; null for the policy's.</param>
/// <param name="Threshold">From this score on.</param>
/// <param name="Fpr">From the score on that this share of the rows that are not harmful reaches, which is another score for each judge.</param>
public sealed record DecisionRule(OperatingPoint? Point = null, double? Threshold = null, double? Fpr = null)
{
    /// <returns>The predictions as decided, and the threshold if there is one.</returns>
    internal (IReadOnlyList<Prediction> Predictions, double? Threshold) Apply(IReadOnlyList<Prediction> predictions)
    {
        var threshold = Fpr is { } rate ? Metrics.ThresholdAtFpr(predictions.Select(p => p.Scored), rate) : Threshold;
        return (threshold is null ? predictions : [.. predictions.Select(p => p with { Refused = p.Score >= threshold })], threshold);
    }
}
