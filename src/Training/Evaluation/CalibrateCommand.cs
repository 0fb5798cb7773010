using System.CommandLine;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using Spectre.Console;

namespace SaferGuard.Training.Evaluation;

/// <summary>The <c>calibrate</c> verb: writes <c>calibration.json</c> for the next export of a checkpoint.</summary>
public static class CalibrateCommand
{
    private const int Concurrency = 16;

    /// <summary>The rates of the other points where only that of the balanced one is given.</summary>
    private const double StrictShare = 2, PermissiveShare = 0.25;

    /// <param name="console">Where tables and errors go; the terminal by default.</param>
    public static Command Create(IAnsiConsole? console = null)
    {
        var bundle = new Option<string>("--bundle") { Description = "Exported bundle whose stages are read.", Required = true };
        var data = new Option<string>("--data") { Description = "JSON lines with labels, as for evaluate.", Required = true };
        var output = new Option<string>("--out") { Description = "File to write; put it into the checkpoint folder and export again.", Required = true };
        var split = new Option<string>("--split") { Description = "Rows to fit to.", DefaultValueFactory = _ => "dev" };
        var rates = new Option<double[]>("--fpr")
        {
            Description = "Share of harmless rows that may be refused at the balanced point, or at the strict, the balanced and the permissive one. "
                + "One number gives the strict point twice as much, the permissive one a quarter.",
            DefaultValueFactory = _ => [0.05],
            Arity = new ArgumentArity(1, 3),
            AllowMultipleArgumentsPerToken = true,
        };
        rates.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<double[]>() ?? [];
            if (given.Length is not (1 or 3)) result.AddError("--fpr takes one number or three.");
            if (!given.All(rate => rate is > 0 and < 1)) result.AddError("--fpr must lie between 0 and 1.");
            if (given.Zip(given.Skip(1)).Any(pair => pair.First < pair.Second)) result.AddError("--fpr must fall from strict to permissive.");
        });
        var report = new Option<string?>("--report") { Description = "Also write the tables to this Markdown file." };
        var command = new Command("calibrate", "Fit probabilities and the thresholds of the operating points to labelled rows.")
        {
            bundle, data, output, split, rates, report,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetRequiredValue(bundle), parsed.GetRequiredValue(data), parsed.GetRequiredValue(split), RatesOf(parsed.GetRequiredValue(rates)),
            parsed.GetRequiredValue(output), parsed.GetValue(report), console ?? AnsiConsole.Console, cancellation));
        return command;
    }

    private static PointRates RatesOf(double[] given) => given is [var balanced]
        ? new PointRates(Math.Min(0.99, balanced * StrictShare), balanced, balanced * PermissiveShare)
        : new PointRates(given[0], given[1], given[2]);

    private static async Task<int> RunAsync(
        string bundle, string data, string split, PointRates rates, string output, string? report, IAnsiConsole console, CancellationToken cancellation)
    {
        try
        {
            var all = LabelledRowReader.Read(data).Where(r => r.Split is null || r.Split == split).ToList();
            if (all.Count == 0) throw new InvalidDataException($"{data} has no rows of the split '{split}'.");
            await using var guard = Guard.Load(bundle, EvaluationRun.Patient);
            var (rows, read) = await ReadAsync(guard, all, console, cancellation);
            var fit = Calibrator.Fit(read, rates);
            await File.WriteAllBytesAsync(output, fit.Calibration.ToJson(), cancellation);
            ReportTable[] tables = [.. CalibrationTables.Of(rows, read, fit)];
            foreach (var table in tables) console.Write(table.ToConsole());
            if (report is not null) await File.WriteAllTextAsync(report, string.Join('\n', tables.Select(t => t.ToMarkdown())), cancellation);
            console.MarkupLineInterpolated($"Wrote {output}. Export the checkpoint again with it as {BundleManifest.CalibrationFile}.");
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or ArgumentException or EngineUnavailableException or EngineTimeoutException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("[red]cancelled[/]: nothing was written.");
            return 1;
        }
    }

    /// <returns>The rows that are not too long, and what the stages say of them.</returns>
    private static async Task<(IReadOnlyList<LabelledRow> Rows, IReadOnlyList<CalibrationRow> Read)> ReadAsync(
        Guard guard, List<LabelledRow> rows, IAnsiConsole console, CancellationToken cancellation)
    {
        var read = new CalibrationRow?[rows.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellation };
        await console.Progress().StartAsync(async progress =>
        {
            var task = progress.AddTask("reading the stages", maxValue: rows.Count);
            await Parallel.ForAsync(0, rows.Count, options, async (i, token) =>
            {
                try
                {
                    read[i] = Of(rows[i], await guard.ReadStagesAsync(rows[i].Conversation, token));
                }
                catch (PromptTooLongException)
                {
                    // Stays null: the service would not judge it either.
                }

                task.Increment(1);
            });
        });
        return ([.. rows.Where((_, i) => read[i] is not null)], [.. read.OfType<CalibrationRow>()]);
    }

    /// <summary>Rules of categories that the gold trace does not have are not violated.</summary>
    private static CalibrationRow Of(LabelledRow row, (StageReadings Stages, IReadOnlyList<RuleReading> Rules) read) => new(
        read.Stages, row.IsHarmful, row.Violated is { } violated ? [.. read.Rules.Select(r => (r.Violated, violated.Contains(r.Rule)))] : []);
}
