using System.Globalization;
using SaferGuard.Training.Data;
using Spectre.Console;

namespace SaferGuard.Training.Noise;

/// <summary>Which labels are doubtful: counts by source, and the rows that most speak against theirs.</summary>
internal sealed record NoiseReport(int Rows, int Doubtful, int Lowered, IReadOnlyList<SourceNoise> Sources, IReadOnlyList<DoubtfulRow> Worst)
{
    public static NoiseReport Of(IReadOnlyList<LabelCheck> checks, int worst) => new(
        checks.Count,
        checks.Count(c => c.IsDoubtful),
        checks.Count(c => c.IsLowered),
        [
            .. checks.GroupBy(c => c.Row.Source).Select(g => SourceNoise.Of(g.Key, [.. g]))
                .OrderByDescending(s => s.Doubtful).ThenBy(s => s.Source, StringComparer.Ordinal),
        ],
        [
            .. checks.Where(c => c.IsDoubtful).OrderBy(c => c.Agreement).ThenBy(c => c.Row.Id, StringComparer.Ordinal).Take(worst)
                .Select(c => new DoubtfulRow(c.Row.Id, c.Row.Source, c.Row.Label, Math.Round(c.Agreement, 4), c.IsLowered)),
        ]);

    public void Print(IAnsiConsole console, int shown)
    {
        var sources = new Table().AddColumn("source");
        foreach (var name in new[] { "rows", "doubtful", "of harmful", "of others", "lowered" }) sources.AddColumn(name, column => column.RightAligned());
        foreach (var s in Sources)
        {
            sources.AddRow(
                Markup.Escape(s.Source),
                $"{s.Rows}",
                $"{s.Doubtful} ({Percent((double)s.Doubtful / s.Rows)})",
                $"{s.DoubtfulHarmful}",
                $"{s.Doubtful - s.DoubtfulHarmful}",
                $"{s.Lowered}");
        }

        console.Write(sources);
        var rows = new Table().AddColumns("most doubtful", "label", "agreement", "lowered");
        foreach (var row in Worst.Take(shown))
        {
            rows.AddRow(Markup.Escape(row.Id), $"{row.Label}", Percent(row.Agreement), row.Lowered ? "yes" : "no");
        }

        console.Write(rows);
        console.WriteLine($"{Doubtful} of {Rows} labels are doubtful; {Lowered} rows weigh less.");
    }

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
}

/// <param name="DoubtfulHarmful">Those among the doubtful rows that are labelled harmful.</param>
internal sealed record SourceNoise(string Source, int Rows, int Doubtful, int DoubtfulHarmful, int Lowered)
{
    public static SourceNoise Of(string source, IReadOnlyList<LabelCheck> checks) => new(
        source,
        checks.Count,
        checks.Count(c => c.IsDoubtful),
        checks.Count(c => c.IsDoubtful && c.Row.Label == Label.Harmful),
        checks.Count(c => c.IsLowered));
}

internal sealed record DoubtfulRow(string Id, string Source, Label Label, double Agreement, bool Lowered);
