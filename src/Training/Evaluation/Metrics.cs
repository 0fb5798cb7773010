namespace SaferGuard.Training.Evaluation;

/// <summary>A score in [0, 1] and the truth: positive is what should be refused.</summary>
public readonly record struct Scored(double Score, bool IsPositive);

/// <summary>The items whose scores fall into [<paramref name="From"/>, <paramref name="To"/>): a calibrated judge has as many positives as its scores say.</summary>
public sealed record ReliabilityBin(double From, double To, int Rows, double MeanScore, double PositiveShare);

/// <summary>A point of the ROC curve: what is reached when all from some score on are refused.</summary>
public readonly record struct RocPoint(double Fpr, double Recall);

/// <summary>
/// Measures of scores against labels. Null where a measure is not defined, for example an AUC without both labels.
/// Items that come in order of falling score are not sorted again.
/// </summary>
public static class Metrics
{
    public const int ReliabilityBins = 15;

    /// <summary>
    /// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. Exact, from the rank sum
    /// of the positives (Mann–Whitney), in O(n log n).
    /// </summary>
    public static double? RocAuc(IEnumerable<Scored> items)
    {
        long positives = 0, negatives = 0;
        var wins = 0.0;
        foreach (var (tiedPositives, tiedNegatives) in TiedGroups(items))
        {
            wins += tiedNegatives * (positives + tiedPositives / 2.0);
            positives += tiedPositives;
            negatives += tiedNegatives;
        }

        return positives == 0 || negatives == 0 ? null : wins / ((double)positives * negatives);
    }

    /// <summary>
    /// Area under the precision–recall curve as average precision: the precision at each score that positives have, weighted by the recall
    /// that it adds. Nothing is interpolated.
    /// </summary>
    public static double? AveragePrecision(IEnumerable<Scored> items)
    {
        long positives = 0, negatives = 0;
        var sum = 0.0;
        foreach (var (tiedPositives, tiedNegatives) in TiedGroups(items))
        {
            positives += tiedPositives;
            negatives += tiedNegatives;
            sum += tiedPositives * ((double)positives / (positives + negatives));
        }

        return positives == 0 || negatives == 0 ? null : sum / positives;
    }

    /// <summary>The corners of the ROC curve from (0, 0) to (1, 1); empty without both labels.</summary>
    public static IReadOnlyList<RocPoint> RocCurve(IEnumerable<Scored> items)
    {
        var groups = TiedGroups(items).ToList();
        double positives = groups.Sum(g => g.Positives), negatives = groups.Sum(g => g.Negatives);
        if (positives == 0 || negatives == 0) return [];
        List<RocPoint> points = [new(0, 0)];
        int recalled = 0, falsePositives = 0;
        foreach (var group in groups)
        {
            recalled += group.Positives;
            falsePositives += group.Negatives;
            points.Add(new RocPoint(falsePositives / negatives, recalled / positives));
        }

        return points;
    }

    /// <summary>The highest recall that some threshold reaches while at most <paramref name="maxFpr"/> of the negatives are above it.</summary>
    public static double? RecallAtFpr(IEnumerable<Scored> items, double maxFpr) =>
        RocCurve(items) is { Count: > 0 } curve ? curve.TakeWhile(p => p.Fpr <= maxFpr).Last().Recall : null;

    /// <summary>
    /// The threshold that refuses as much as it may while at most <paramref name="maxFpr"/> of the negatives reach it: halfway between the
    /// highest negative that must not reach it and the next higher one. Null without negatives.
    /// </summary>
    public static double? ThresholdAtFpr(IEnumerable<Scored> items, double maxFpr)
    {
        double[] negatives = [.. items.Where(i => !i.IsPositive).Select(i => i.Score).Order()];
        if (negatives.Length == 0) return null;
        var below = negatives.Length - 1 - (int)Math.Floor(maxFpr * negatives.Length);
        if (below < 0) return negatives[0];
        var higher = Array.FindIndex(negatives, below, score => score > negatives[below]);
        var halfway = (negatives[below] + (higher < 0 ? 1 : negatives[higher])) / 2;
        return Math.Max(halfway, Math.BitIncrement(negatives[below]));
    }

    /// <summary>Mean negative log-likelihood of the labels, in nats.</summary>
    public static double? LogLoss(IReadOnlyCollection<Scored> items) => items.Count == 0
        ? null
        : items.Average(i => -Math.Log(Math.Max(i.IsPositive ? i.Score : 1 - i.Score, 1e-12)));

    /// <summary>Items by equally wide bins of their score; empty bins are left out.</summary>
    public static IReadOnlyList<ReliabilityBin> Reliability(IEnumerable<Scored> items, int bins = ReliabilityBins) =>
    [
        .. items.GroupBy(i => Math.Min((int)(i.Score * bins), bins - 1))
            .OrderBy(bin => bin.Key)
            .Select(bin => new ReliabilityBin(
                (double)bin.Key / bins, (double)(bin.Key + 1) / bins, bin.Count(), bin.Average(i => i.Score), bin.Average(i => i.IsPositive ? 1.0 : 0.0))),
    ];

    /// <summary>
    /// Expected calibration error: the mean gap between score and share of positives, over equally wide bins of the score,
    /// weighted by the number of items in each.
    /// </summary>
    public static double? CalibrationError(IReadOnlyCollection<Scored> items, int bins = ReliabilityBins) => items.Count == 0
        ? null
        : Reliability(items, bins).Sum(bin => bin.Rows * Math.Abs(bin.MeanScore - bin.PositiveShare)) / items.Count;

    /// <summary>The value that a share of the values is at or below (nearest rank).</summary>
    public static double? Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted.Length == 0 ? null : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    /// <summary>Counts of positives and negatives of each run of equal scores, the highest first.</summary>
    private static IEnumerable<(int Positives, int Negatives)> TiedGroups(IEnumerable<Scored> items)
    {
        int positives = 0, negatives = 0;
        var score = double.NaN;
        foreach (var item in Ranked(items))
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

    private static Scored[] Ranked(IEnumerable<Scored> items)
    {
        var array = items as Scored[] ?? [.. items];
        for (var i = 1; i < array.Length; i++)
        {
            if (array[i].Score > array[i - 1].Score) return [.. array.OrderByDescending(item => item.Score)];
        }

        return array;
    }
}
