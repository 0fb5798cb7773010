namespace SaferGuard.Training.Evaluation;

/// <summary>A score in [0, 1] and the truth: positive is what should be refused.</summary>
public readonly record struct Scored(double Score, bool IsPositive);

/// <summary>Measures of scores against labels. Null where a measure is not defined, for example an AUC without both labels.</summary>
public static class Metrics
{
    /// <summary>
    /// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. Exact, from the rank sum
    /// of the positives (Mann–Whitney), in O(n log n).
    /// </summary>
    public static double? RocAuc(IEnumerable<Scored> items)
    {
        long positives = 0, negatives = 0;
        var wins = 0.0;
        foreach (var (tiedPositives, tiedNegatives) in TiedGroups(items.OrderBy(i => i.Score)))
        {
            wins += tiedPositives * (negatives + tiedNegatives / 2.0);
            positives += tiedPositives;
            negatives += tiedNegatives;
        }

        return positives == 0 || negatives == 0 ? null : wins / ((double)positives * negatives);
    }

    /// <summary>The highest recall that some threshold reaches while at most <paramref name="maxFpr"/> of the negatives are above it.</summary>
    public static double? RecallAtFpr(IReadOnlyCollection<Scored> items, double maxFpr)
    {
        var positives = items.Count(i => i.IsPositive);
        var negatives = items.Count - positives;
        if (positives == 0 || negatives == 0) return null;
        int recalled = 0, falsePositives = 0;
        foreach (var (tiedPositives, tiedNegatives) in TiedGroups(items.OrderByDescending(i => i.Score)))
        {
            falsePositives += tiedNegatives;
            if (falsePositives > maxFpr * negatives) break;
            recalled += tiedPositives;
        }

        return (double)recalled / positives;
    }

    /// <summary>
    /// Expected calibration error: the mean gap between score and share of positives, over equally wide bins of the score,
    /// weighted by the number of items in each.
    /// </summary>
    public static double? CalibrationError(IReadOnlyCollection<Scored> items, int bins = 15) => items.Count == 0
        ? null
        : items.GroupBy(i => Math.Min((int)(i.Score * bins), bins - 1))
            .Sum(bin => Math.Abs(bin.Sum(i => i.Score) - bin.Count(i => i.IsPositive))) / items.Count;

    /// <summary>The value that a share of the values is at or below (nearest rank).</summary>
    public static double? Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? null : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    /// <summary>Counts of positives and negatives of each run of equal scores.</summary>
    private static IEnumerable<(int Positives, int Negatives)> TiedGroups(IEnumerable<Scored> ordered)
    {
        int positives = 0, negatives = 0;
        var score = double.NaN;
        foreach (var item in ordered)
        {
            if (item.Score != score)
            {
                if (positives + negatives > 0) yield return (positives, negatives);
                (positives, negatives, score) = (0, 0, item.Score);
            }

            if (item.IsPositive) positives++;
            else negatives++;
        }

        if (positives + negatives > 0) yield return (positives, negatives);
    }
}
