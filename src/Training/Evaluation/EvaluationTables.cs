using System.Globalization;
using SaferGuard.Training.Data;
using Spectre.Console;

namespace SaferGuard.Training.Evaluation;

/// <summary>Prints reports: the judges side by side, then each judge by source and label.</summary>
internal static class EvaluationTables
{
    private const string NotMeasured = "–";

    public static void Print(IAnsiConsole console, IReadOnlyList<EvaluationReport> reports)
    {
        console.Write(Overview(reports));
        foreach (var report in reports) console.Write(BySource(report));
    }

    private static Table Overview(IReadOnlyList<EvaluationReport> reports)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("measure");
        foreach (var report in reports) table.AddColumn(new TableColumn(Markup.Escape(report.Judge)).RightAligned());

        Add("rows", r => Count(r.Rows));
        Add("rows too long", r => Count(r.Skipped));
        Add("AUC", r => Share(r.Auc));
        Add("AUC, mean of sources", r => Share(r.MeanSourceAuc));
        Add("F1", r => Share(r.F1));
        Add("precision", r => Share(r.Precision));
        Add("recall", r => Share(r.Recall));
        Add("FPR", r => Share(r.Fpr));
        Add("FPR, benign", r => Share(r.BenignFpr));
        Add("over-refusal, borderline-safe", r => Share(r.OverRefusal));
        Add("recall at 1 % FPR", r => Share(r.RecallAtFpr1Percent));
        Add("recall at 5 % FPR", r => Share(r.RecallAtFpr5Percent));
        Add("category accuracy", r => Share(r.CategoryAccuracy));
        Add("calibration error", r => Share(r.CalibrationError));
        Add("trace tokens", r => Tenths(r.MeanTraceTokens));
        Add("latency p50, ms", r => Tenths(r.LatencyP50Ms));
        Add("latency p95, ms", r => Tenths(r.LatencyP95Ms));
        return table;

        void Add(string measure, Func<EvaluationReport, string> value)
        {
            string[] values = [.. reports.Select(value)];
            if (values.Any(v => v != NotMeasured)) table.AddRow([measure, .. values]);
        }
    }

    private static Table BySource(EvaluationReport report)
    {
        var table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(report.Judge));
        foreach (var column in (string[])["source", "label"]) table.AddColumn(new TableColumn(column).NoWrap());
        foreach (var column in (string[])["rows", "mean", "refused", "AUC", "AUC all", "F1 all"])
        {
            table.AddColumn(new TableColumn(column).NoWrap().RightAligned().PadRight(0));
        }

        foreach (var g in report.Groups)
        {
            table.AddRow(
                Markup.Escape(g.Source), Name(g.Label), Count(g.Rows), Share(g.MeanScore), Share(g.RefuseRate), Share(g.Auc), Share(g.AucAgainstOthers),
                Share(g.F1AgainstOthers));
        }

        return table;
    }

    private static string Name(Label label) => label switch
    {
        Label.Benign => "benign",
        Label.BorderlineSafe => "borderline-safe",
        _ => "harmful",
    };

    private static string Count(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Share(double? value) => value?.ToString("0.000", CultureInfo.InvariantCulture) ?? NotMeasured;

    private static string Tenths(double? value) => value?.ToString("0.0", CultureInfo.InvariantCulture) ?? NotMeasured;
}
