using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>A measured value and its 95 % confidence interval; null where it is not defined.</summary>
public readonly record struct Estimate(double? Value, double? Low = null, double? High = null);

/// <summary>
/// Confidence intervals by the percentile bootstrap: each measure is taken again on as many rows, drawn with replacement, again and again. They
/// say how far other rows of the same kind could move a number, not how far another kind of traffic would.
/// </summary>
/// <param name="Resamples">None if 0: then there are no intervals.</param>
internal sealed record Bootstrap(int Resamples, int Seed)
{
    /// <summary>A measure that is not defined on this many resamples (no harmful row was drawn, say) has no interval.</summary>
    private const double MaxUndefined = 0.05;

    /// <summary>Each measure by its name.</summary>
    public IReadOnlyDictionary<string, Estimate> Estimate(IEnumerable<Prediction> predictions, IReadOnlyList<Measure> measures)
    {
        Prediction[] ranked = [.. predictions.OrderByDescending(p => p.Score)];
        double?[] values = [.. measures.Select(m => m.Of(ranked))];
        var draws = measures.Select(_ => new List<double>(Resamples)).ToArray();
        var draw = new Draw(Seed, "bootstrap");
        for (var i = 0; i < Resamples && ranked.Length > 0; i++)
        {
            var resample = Resample(ranked, draw);
            for (var m = 0; m < measures.Count; m++)
            {
                if (values[m] is not null && measures[m].Of(resample) is { } value) draws[m].Add(value);
            }
        }

        return measures.Select((m, i) => (m.Name, Estimate: Of(values[i], draws[i]))).ToDictionary(m => m.Name, m => m.Estimate);
    }

    /// <summary>In the order of the rows, so that a measure need not sort again.</summary>
    private static Prediction[] Resample(Prediction[] ranked, Draw draw)
    {
        var counts = new int[ranked.Length];
        for (var i = 0; i < ranked.Length; i++) counts[draw.Below(ranked.Length)]++;
        var resample = new Prediction[ranked.Length];
        for (int i = 0, next = 0; i < ranked.Length; i++)
        {
            for (; counts[i] > 0; counts[i]--) resample[next++] = ranked[i];
        }

        return resample;
    }

    private Estimate Of(double? value, List<double> draws) => Resamples == 0 || draws.Count < (1 - MaxUndefined) * Resamples
        ? new Estimate(value)
        : new Estimate(value, Metrics.Percentile(draws, 0.025), Metrics.Percentile(draws, 0.975));
}
