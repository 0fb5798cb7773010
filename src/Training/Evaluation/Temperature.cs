namespace SaferGuard.Training.Evaluation;

/// <summary>Temperature scaling: one number that divides log-odds, so that the probabilities are right on average and no order changes.</summary>
internal static class Temperature
{
    private const double Lowest = 0.05;
    private const double Highest = 20;
    private const int Steps = 60;

    /// <summary>The temperature of the least log loss, by golden section: as a function of the scale the loss has one valley.</summary>
    public static double Fit(IReadOnlyList<(double LogOdds, bool IsPositive)> items)
    {
        var ratio = (Math.Sqrt(5) - 1) / 2;
        double low = Math.Log(1 / Highest), high = Math.Log(1 / Lowest);
        var (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        var (lossLeft, lossRight) = (Loss(items, Math.Exp(left)), Loss(items, Math.Exp(right)));
        for (var step = 0; step < Steps; step++)
        {
            if (lossLeft < lossRight)
            {
                (high, right, lossRight) = (right, left, lossLeft);
                left = high - ratio * (high - low);
                lossLeft = Loss(items, Math.Exp(left));
            }
            else
            {
                (low, left, lossLeft) = (left, right, lossRight);
                right = low + ratio * (high - low);
                lossRight = Loss(items, Math.Exp(right));
            }
        }

        return Math.Exp(-(low + high) / 2);
    }

    public static double Probability(double logOdds, double temperature) => 1 / (1 + Math.Exp(-logOdds / temperature));

    private static double Loss(IReadOnlyList<(double LogOdds, bool IsPositive)> items, double scale) =>
        items.Sum(i => LogisticRegression.SoftPlus(i.IsPositive ? -scale * i.LogOdds : scale * i.LogOdds));
}
