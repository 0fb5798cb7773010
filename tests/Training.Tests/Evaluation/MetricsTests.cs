using CsCheck;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class MetricsTests
{
    /// <summary>Few distinct scores, so that ties are common.</summary>
    private static readonly Gen<Scored[]> Items = Gen.Select(Gen.Int[0, 6], Gen.Bool).Select((s, p) => new Scored(s / 6.0, p)).Array[0, 40];

    [Fact]
    public void Auc_is_the_share_of_pairs_in_the_right_order()
    {
        // Positives .9 .4, negatives .5 .1: three of the four pairs are in order.
        Assert.Equal(0.75, Metrics.RocAuc([new(0.9, true), new(0.4, true), new(0.5, false), new(0.1, false)]));
    }

    [Fact]
    public void Tied_pairs_count_half()
    {
        Assert.Equal(0.5, Metrics.RocAuc([new(0.3, true), new(0.3, false), new(0.3, false)]));
    }

    [Fact]
    public void Auc_equals_the_comparison_of_all_pairs() => Items.Sample(items =>
    {
        var pairs = from p in items where p.IsPositive from n in items where !n.IsPositive select (p.Score, Other: n.Score);
        double? slow = pairs.Any() ? pairs.Average(p => p.Score > p.Other ? 1 : p.Score == p.Other ? 0.5 : 0) : null;
        var fast = Metrics.RocAuc(items);
        return slow is null ? fast is null : Math.Abs(slow.Value - fast!.Value) < 1e-12;
    });

    [Fact]
    public void Recall_at_a_false_positive_rate_is_that_of_the_best_allowed_threshold() =>
        Gen.Select(Items, Gen.Double[0, 1]).Sample((items, maxFpr) =>
        {
            var allowed = items.Select(i => i.Score).Append(2)
                .Select(t => Confusion.At(items, t))
                .Where(c => c.FalsePositiveRate <= maxFpr)
                .ToArray();
            var slow = items.Any(i => i.IsPositive) ? allowed.Max(c => c.Recall) : null;
            return Metrics.RecallAtFpr(items, maxFpr) == slow;
        });

    [Fact]
    public void Confusion_counts_scores_at_the_threshold_as_refused()
    {
        var confusion = Confusion.At([new(0.5, true), new(0.4, true), new(0.7, true), new(0.6, false), new(0.2, false), new(0.1, false)], 0.5);

        Assert.Equal(new Confusion(TruePositives: 2, FalsePositives: 1, TrueNegatives: 2, FalseNegatives: 1), confusion);
        Assert.Equal(2.0 / 3, confusion.Precision);
        Assert.Equal(2.0 / 3, confusion.Recall);
        Assert.Equal(2.0 / 3, confusion.F1);
        Assert.Equal(1.0 / 3, confusion.FalsePositiveRate);
    }

    [Fact]
    public void Average_precision_weighs_the_precision_at_each_positive()
    {
        // In order of score: + - + -. Precision 1 at the first positive, 2/3 at the second.
        Assert.Equal((1 + 2.0 / 3) / 2, Metrics.AveragePrecision([new(0.9, true), new(0.8, false), new(0.7, true), new(0.1, false)])!.Value, 12);

        // All tied: the precision is the share of positives.
        Assert.Equal(0.25, Metrics.AveragePrecision([new(0.5, true), new(0.5, false), new(0.5, false), new(0.5, false)]));
    }

    [Fact]
    public void The_area_under_the_roc_curve_is_the_auc() => Items.Sample(items =>
    {
        var curve = Metrics.RocCurve(items);
        var area = curve.Zip(curve.Skip(1), (a, b) => (b.Fpr - a.Fpr) * (a.Recall + b.Recall) / 2).Sum();
        return Metrics.RocAuc(items) is { } auc ? Math.Abs(auc - area) < 1e-12 : curve.Count == 0;
    });

    [Fact]
    public void The_threshold_of_a_false_positive_rate_is_reached_by_no_more_and_by_as_many_as_ties_allow() =>
        Gen.Select(Items, Gen.Double[0, 1]).Sample((items, maxFpr) =>
        {
            if (Metrics.ThresholdAtFpr(items, maxFpr) is not { } threshold) return items.All(i => i.IsPositive);
            var rate = Confusion.At(items, threshold).FalsePositiveRate;
            var lower = items.Where(i => !i.IsPositive && i.Score < threshold).Select(i => i.Score).DefaultIfEmpty(double.NaN).Max();
            return rate <= maxFpr && (double.IsNaN(lower) || Confusion.At(items, lower).FalsePositiveRate > maxFpr);
        });

    [Fact]
    public void Log_loss_is_the_mean_surprise() =>
        Assert.Equal((Math.Log(2) + Math.Log(4)) / 2, Metrics.LogLoss([new(0.5, true), new(0.75, false)])!.Value, 12);

    [Fact]
    public void What_cannot_be_measured_is_null()
    {
        Scored[] onlyPositives = [new(0.9, true), new(0.2, true)];

        Assert.Null(Metrics.RocAuc(onlyPositives));
        Assert.Null(Metrics.RecallAtFpr(onlyPositives, 0.1));
        Assert.Null(Confusion.At(onlyPositives, 0.5).FalsePositiveRate);
        Assert.Null(Confusion.At([new(0.1, false)], 0.5).F1);
        Assert.Null(Metrics.CalibrationError([]));
        Assert.Null(Metrics.Percentile([], 0.5));
    }

    [Fact]
    public void Calibration_error_is_the_mean_gap_between_score_and_frequency()
    {
        // Two bins: [0, .5) holds .2 .4 with no positive (gap .3), [.5, 1] holds .9 1 with one positive (gap .45).
        Scored[] items = [new(0.2, false), new(0.4, false), new(0.9, true), new(1.0, false)];

        Assert.Equal((0.3 + 0.45) / 2, Metrics.CalibrationError(items, bins: 2)!.Value, 12);
    }

    [Theory]
    [InlineData(0.50, 3)]
    [InlineData(0.95, 5)]
    [InlineData(0.00, 1)]
    public void A_percentile_is_one_of_the_values(double share, double expected)
    {
        Assert.Equal(expected, Metrics.Percentile([5, 1, 4, 2, 3], share));
    }
}
