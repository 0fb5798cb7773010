using System.Globalization;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>The tables of a report: the judges side by side, then each judge by source and label and by slice.</summary>
internal static class EvaluationTables
{
    private const string NotMeasured = "–";

    /// <summary>With the intervals of all measures.</summary>
    public static IEnumerable<ReportTable> ForFile(IReadOnlyList<EvaluationReport> reports) => Of(reports, WithInterval);

    /// <summary>Slices come without intervals, for want of room.</summary>
    public static IEnumerable<ReportTable> ForTerminal(IReadOnlyList<EvaluationReport> reports) =>
        Of(reports, (estimate, format) => Number(estimate.Value, format));

    public static string Rate(double? value) => Number(value, "0.000");

    public static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? NotMeasured;

    private static IEnumerable<ReportTable> Of(IReadOnlyList<EvaluationReport> reports, Func<Estimate, string, string> ofSlice) =>
        [Overview(reports), .. reports.SelectMany(report => (IEnumerable<ReportTable>)[BySource(report), .. BySlice(report, ofSlice)])];

    private static ReportTable Overview(IReadOnlyList<EvaluationReport> reports)
    {
        List<string[]> rows =
        [
            ["rows", .. reports.Select(r => Count(r.Rows))],
            ["rows too long", .. reports.Select(r => Count(r.Skipped))],
            ["threshold", .. reports.Select(r => Rate(r.Threshold))],
            .. Measure.All.Select(m => (string[])[m.Title, .. reports.Select(r => WithInterval(r.Measures[m.Name], m.Format))]),
        ];
        return new ReportTable("Judges", ["measure", .. reports.Select(r => r.Judge)], 1, [.. rows.Where(r => r[1..].Any(v => v != NotMeasured))]);
    }

    private static ReportTable BySource(EvaluationReport report) => new(
        $"{report.Judge}, by source and label",
        ["source", "label", "rows", "mean", "refused", "AUC", "AUC all", "F1 all"],
        2,
        [.. report.Groups.Select(g => (string[])
        [
            g.Source, Name(g.Label), Count(g.Rows), Rate(g.MeanScore), Rate(g.RefuseRate), Rate(g.Auc), Rate(g.AucAgainstOthers), Rate(g.F1AgainstOthers),
        ])]);

    private static IEnumerable<ReportTable> BySlice(EvaluationReport report, Func<Estimate, string, string> value) =>
        from slice in report.Slices
        group slice by slice.Kind into slices
        let kind = slices.Key.ToString().ToLowerInvariant()
        select new ReportTable(
            $"{report.Judge}, by {kind}",
            [kind, "rows", "harmful", .. Measure.OfSlice.Select(m => m.Title)],
            1,
            [.. slices.Select(s => (string[])
                [s.Name, Count(s.Rows), Count(s.Harmful), .. Measure.OfSlice.Select(m => value(s.Measures[m.Name], m.Format))])]);

    /// <summary>A value with its interval: <c>0.840 (0.825–0.855)</c>.</summary>
    private static string WithInterval(Estimate estimate, string format) => estimate.Low is null
        ? Number(estimate.Value, format)
        : $"{Number(estimate.Value, format)} ({Number(estimate.Low, format)}–{Number(estimate.High, format)})";

    private static string Name(Label label) => label switch
    {
        Label.Benign => "benign",
        Label.BorderlineSafe => "borderline-safe",
        _ => "harmful",
    };

    private static string Count(int value) => value.ToString(CultureInfo.InvariantCulture);
}
