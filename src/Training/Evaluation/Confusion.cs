namespace SaferGuard.Training.Evaluation;

/// <summary>Counts of decisions against labels; positive means refused. Shares are null where nothing could be counted.</summary>
public readonly record struct Confusion(int TruePositives, int FalsePositives, int TrueNegatives, int FalseNegatives)
{
    public double? Precision => Share(TruePositives, TruePositives + FalsePositives);

    public double? Recall => Share(TruePositives, TruePositives + FalseNegatives);

    public double? FalsePositiveRate => Share(FalsePositives, FalsePositives + TrueNegatives);

    public double? F1 => Share(2 * TruePositives, 2 * TruePositives + FalsePositives + FalseNegatives);

    public static Confusion At(IEnumerable<Scored> items, double threshold) =>
        Of(items.Select(i => (i.Score >= threshold, i.IsPositive)));

    public static Confusion Of(IEnumerable<(bool Refused, bool IsPositive)> decisions)
    {
        int truePositives = 0, falsePositives = 0, trueNegatives = 0, falseNegatives = 0;
        foreach (var decision in decisions)
        {
            switch (decision)
            {
                case (true, true): truePositives++; break;
                case (true, false): falsePositives++; break;
                case (false, false): trueNegatives++; break;
                default: falseNegatives++; break;
            }
        }

        return new Confusion(truePositives, falsePositives, trueNegatives, falseNegatives);
    }

    private static double? Share(int part, int whole) => whole == 0 ? null : (double)part / whole;
}
