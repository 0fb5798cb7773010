using System.Globalization;
using Spectre.Console;

namespace SaferGuard.Exporter;

/// <summary>The tables that an export prints.</summary>
internal static class ExportTables
{
    public static Table Parity(IEnumerable<(WeightFormat Format, ParityReport Report)> reports)
    {
        var table = new Table().AddColumns("weights", "rows", "largest error", "relative RMS error", "greedy tokens missed", "verdict");
        foreach (var (format, report) in reports)
        {
            var verdict = (format, format.Accepts(report)) switch
            {
                (_, false) => "[red]differs[/]",
                (WeightFormat.Fp32, true) => "[green]exact[/]",
                _ => "rounded",
            };
            table.AddRow(
                format.ToString().ToLowerInvariant(),
                Text($"{report.Rows}"),
                Text($"{report.MaxError:G3}") + (format == WeightFormat.Fp32 ? Text($" (limit {report.ExactLimit:G3})") : ""),
                Text($"{report.RelativeError:G3}"),
                Text($"{report.GreedyMisses}"),
                verdict);
        }

        return table;
    }

    public static Table Agreement(VerdictAgreement agreement)
    {
        var table = new Table().AddColumns("dev rows", "same decision", "rules checked by both", "same verdict", "mean score difference");
        table.AddRow(
            Text($"{agreement.Rows}"),
            Share(agreement.SameDecision, agreement.Rows),
            Text($"{agreement.Rules}"),
            Share(agreement.SameVerdict, agreement.Rules),
            Text($"{agreement.ScoreDifference:F4}"));
        return table;
    }

    private static string Share(int part, int whole) => whole == 0 ? "-" : Text($"{100.0 * part / whole:F2} %");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
