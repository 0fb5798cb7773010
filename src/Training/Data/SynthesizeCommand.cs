using SaferGuard.Reasoning.Policies;
using Spectre.Console;

namespace SaferGuard.Training.Data;

/// <summary>The <c>synthesize</c> command: writes <c>rows.jsonl</c> and prints what is in it.</summary>
public static class SynthesizeCommand
{
    /// <exception cref="InvalidDataException">An input line is malformed; the message names it.</exception>
    public static void Run(SynthesizeOptions options, IAnsiConsole console)
    {
        var synthesizer = new Synthesizer(PolicyReader.Default, options);
        var rows = synthesizer.Make();
        Directory.CreateDirectory(options.OutputFolder);
        var path = Path.Combine(options.OutputFolder, RowFile.Name);
        RowFile.Write(path, rows);
        console.Write(Counts(rows));
        console.MarkupLineInterpolated($"{rows.Count} rows in {path}; {synthesizer.Skipped} written rows left out because they contradict themselves");
    }

    private static Table Counts(IReadOnlyList<TrainingRow> rows)
    {
        var labels = Enum.GetValues<Label>();
        var table = new Table().AddColumns("source", "split").AddColumns([.. labels.Select(label => $"{label}")]);
        foreach (var group in rows.GroupBy(r => (r.Source, r.Split)).OrderBy(g => g.Key.Source, StringComparer.Ordinal).ThenBy(g => g.Key.Split))
        {
            table.AddRow([Markup.Escape(group.Key.Source), group.Key.Split, .. labels.Select(label => $"{group.Count(r => r.Label == label)}")]);
        }

        return table;
    }
}
