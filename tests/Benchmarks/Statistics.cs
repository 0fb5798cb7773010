namespace SaferGuard.Benchmarks;

/// <summary>Latencies of requests that were answered, in milliseconds, how long all of them took, and how many were not answered.</summary>
internal sealed record Round(TimeSpan Elapsed, IReadOnlyList<double> Latencies, int Failed = 0)
{
    public double PerSecond => Latencies.Count / Elapsed.TotalSeconds;

    public double P50 => Statistics.Percentile(Latencies, 0.50);

    public double P95 => Statistics.Percentile(Latencies, 0.95);

    public double P99 => Statistics.Percentile(Latencies, 0.99);
}

internal static class Statistics
{
    public static double Median(IEnumerable<double> values) => Percentile([.. values], 0.5);

    /// <summary>The smallest value that at least this share of the values does not exceed.</summary>
    public static double Percentile(IReadOnlyList<double> values, double share)
    {
        if (values.Count == 0) return double.NaN;
        var sorted = values.Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
