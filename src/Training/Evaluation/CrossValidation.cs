namespace SaferGuard.Training.Evaluation;

/// <summary>How good the probabilities of a way of calibrating are on rows that it was not fitted to.</summary>
internal sealed record CandidateFit(string Name, double? Auc, double? LogLoss, double? CalibrationError);

/// <summary>Compares ways of calibrating.</summary>
internal static class CrossValidation
{
    private const int Folds = 5;

    /// <param name="fit">From rows to a function that gives a row's probability.</param>
    public static CandidateFit Of<T>(string name, IReadOnlyList<T> rows, Func<T, bool> isPositive, Func<IReadOnlyList<T>, Func<T, double>> fit)
    {
        var scored = new Scored[rows.Count];
        for (var fold = 0; fold < Math.Min(Folds, rows.Count); fold++)
        {
            // Every fifth row, because rows of a source stand together.
            var probability = fit([.. rows.Where((_, i) => i % Folds != fold)]);
            for (var i = fold; i < rows.Count; i += Folds) scored[i] = new Scored(probability(rows[i]), isPositive(rows[i]));
        }

        return new CandidateFit(name, Metrics.RocAuc(scored), Metrics.LogLoss(scored), Metrics.CalibrationError(scored));
    }
}
