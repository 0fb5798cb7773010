namespace SaferGuard.Training.Evaluation.Charts;

/// <summary>What share of the rows with about the same score is harmful: on the diagonal where scores are probabilities. A dot's area is its share of the rows.</summary>
internal static class ReliabilityChart
{
    private const double LargestDot = 16;

    public static string Draw(IEnumerable<EvaluationReport> reports)
    {
        var chart = new Chart("Reliability", "mean score", "share of harmful rows");
        chart.Diagonal();
        foreach (var report in reports.Where(r => r.Rows > 0))
        {
            var error = EvaluationTables.Rate(report.Measures[Measure.CalibrationError.Name].Value);
            var colour = chart.Series($"{report.Judge}: expected calibration error {error}");
            chart.Line(report.Reliability.Select(b => (b.MeanScore, b.PositiveShare)), colour, 1);
            foreach (var bin in report.Reliability)
            {
                var radius = Math.Max(2, LargestDot * Math.Sqrt((double)bin.Rows / report.Rows));
                chart.Dot(bin.MeanScore, bin.PositiveShare, radius, colour, $"{bin.Rows} rows from {EvaluationTables.Rate(bin.From)}");
            }
        }

        return chart.ToSvg();
    }
}
