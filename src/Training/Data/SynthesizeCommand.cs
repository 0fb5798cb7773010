using System.CommandLine;
using SaferGuard.Reasoning.Policies;
using Spectre.Console;

namespace SaferGuard.Training.Data;

/// <summary>The <c>synthesize</c> verb: writes <c>rows.jsonl</c> and prints what is in it.</summary>
public static class SynthesizeCommand
{
    public static Command Create()
    {
        var prompts = new Option<string?>("--prompts")
        {
            Description = $"Folder with public prompts ({PromptFile.Name}; see docs/data.md). Without it only written and generated rows are made.",
        };
        var traces = new Option<string>("--traces") { Description = "Folder with written traces.", DefaultValueFactory = _ => "data/traces" };
        var output = new Option<string>("--out") { Description = $"Folder that receives {RowFile.Name}.", Required = true };
        var seed = new Option<int>("--seed") { Description = "Seed of all that is drawn.", DefaultValueFactory = _ => 7 };
        var command = new Command("synthesize", "Make training rows with gold traces from public prompts, written traces and grammars.")
        {
            prompts, traces, output, seed,
        };
        command.SetAction(parsed =>
        {
            try
            {
                Run(
                    new SynthesizeOptions(
                        parsed.GetValue(prompts), parsed.GetRequiredValue(traces), parsed.GetRequiredValue(output), parsed.GetValue(seed)),
                    AnsiConsole.Console);
                return 0;
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                AnsiConsole.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
                return 1;
            }
        });
        return command;
    }

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
