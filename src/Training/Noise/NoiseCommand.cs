using System.CommandLine;
using SaferGuard.Training.Data;
using Spectre.Console;

namespace SaferGuard.Training.Noise;

/// <summary>The <c>noise</c> verb.</summary>
public static class NoiseCommand
{
    private const string ReportName = "noise.json";
    private const int WorstKept = 1000;
    private const int WorstShown = 25;

    /// <param name="console">Where tables and errors go; the terminal by default.</param>
    public static Command Create(IAnsiConsole? console = null)
    {
        var data = new Option<string>("--data") { Description = "Rows that synthesize wrote (JSON lines).", Required = true };
        var output = new Option<string>("--out")
        {
            Description = $"Folder that receives {RowFile.Name} with the new weights, and {ReportName}.",
            Required = true,
        };
        var least = new Option<double>("--least")
        {
            Description = "The share of its weight, 0 to 1, that the most doubtful row keeps.",
            DefaultValueFactory = _ => .25,
        };
        var seed = new Option<int>("--seed") { Description = "Seed of the folds.", DefaultValueFactory = _ => 7 };
        var command = new Command("noise", "Find labels that the other rows contradict, and lower the weight of those rows.") { data, output, least, seed };
        command.Validators.Add(result =>
        {
            if (result.GetValue(least) is not (>= 0 and <= 1)) result.AddError("--least must be from 0 to 1.");
        });
        command.SetAction(parsed =>
        {
            var terminal = console ?? AnsiConsole.Console;
            try
            {
                Run(parsed.GetRequiredValue(data), parsed.GetRequiredValue(output), parsed.GetValue(least), parsed.GetValue(seed), terminal);
                return 0;
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                terminal.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
                return 1;
            }
        });
        return command;
    }

    private static void Run(string data, string folder, double least, int seed, IAnsiConsole console)
    {
        var path = Path.Combine(folder, RowFile.Name);
        // Weights would be lowered again at every run.
        if (Path.GetFullPath(data) == Path.GetFullPath(path)) throw new InvalidDataException("--out must be another folder than that of --data.");
        var rows = RowFile.Read(data).ToList();
        var checks = LabelNoise.Check(rows, seed);
        var report = NoiseReport.Of(checks, WorstKept);
        Directory.CreateDirectory(folder);
        RowFile.Write(path, LabelNoise.Reweigh(rows, checks, least));
        File.WriteAllText(Path.Combine(folder, ReportName), JsonLines.Write(report) + "\n");
        report.Print(console, WorstShown);
    }
}
