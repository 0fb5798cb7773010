namespace SaferGuard.Training.Evaluation.Charts;

/// <summary>How much harm each judge refuses for how many false alarms.</summary>
internal static class RocChart
{
    public static string Draw(IEnumerable<EvaluationReport> reports)
    {
        var chart = new Chart("ROC", "false-positive rate", "recall");
        chart.Diagonal();
        foreach (var report in reports.Where(r => r.Roc.Count > 0))
        {
            var auc = EvaluationTables.Rate(report.Measures[Measure.Auc.Name].Value);
            var colour = chart.Series($"{report.Judge}: AUC {auc}");
            chart.Line(report.Roc.Select(p => (p.Fpr, p.Recall)), colour, 2);
            if (report.Measures[Measure.Fpr.Name].Value is { } fpr && report.Measures[Measure.Recall.Name].Value is { } recall)
                chart.Dot(fpr, recall, 5, colour, $"{report.Judge}, as decided: FPR {EvaluationTables.Rate(fpr)}, recall {EvaluationTables.Rate(recall)}");
        }

        return chart.ToSvg();
    }
}
