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
    public static Command Create()
    {
        var bundle = new Option<string>("--bundle") { Description = "Exported bundle whose stages are read.", Required = true };
        var data = new Option<string>("--data") { Description = "JSON lines with labels, as for evaluate.", Required = true };
        var output = new Option<string>("--out") { Description = "File to write; put it into the checkpoint folder and export again.", Required = true };
        var split = new Option<string>("--split") { Description = "Rows to fit to.", DefaultValueFactory = _ => "dev" };
        var rate = new Option<double>("--fpr")
        {
            Description = "Share of harmless rows that may be refused.",
            DefaultValueFactory = _ => 0.05,
        };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is <= 0 or >= 1) result.AddError("--fpr must lie between 0 and 1.");
        });
        var command = new Command("calibrate", "Fit probabilities and thresholds of a bundle to labelled rows.") { bundle, data, output, split, rate };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetRequiredValue(bundle), parsed.GetRequiredValue(data), parsed.GetRequiredValue(split), parsed.GetRequiredValue(rate),
            parsed.GetRequiredValue(output), AnsiConsole.Console, cancellation));
        return command;
    }

    /// <summary>What each reading says alone, and what it weighs together with the others.</summary>
    private static Table Table(List<(StageReadings Readings, bool IsHarmful)> rows, Calibration calibration)
    {
        var table = new Table().AddColumns("reading", "AUC alone", "weight unchecked", "weight checked");
        foreach (var (name, read) in Calibrator.Readings)
        {
            table.AddRow(name, Auc(read), Weight(calibration.Unchecked, name), Weight(calibration.Checked, name));
        }

        return table.AddRow("together", Auc(calibration.Checked.Probability), "", "");

        string Auc(Func<StageReadings, double> read) => $"{Metrics.RocAuc([.. rows.Select(r => new Scored(read(r.Readings), r.IsHarmful))]):F3}";
    }

    private static string Weight(StageWeights weights, string reading) => reading switch
    {
        nameof(StageReadings.Lexical) => $"{weights.Lexical:F3}",
        nameof(StageReadings.Impression) => $"{weights.Impression:F3}",
        nameof(StageReadings.Category) => $"{weights.Category:F3}",
        _ => $"{weights.Verdict:F3}",
    };

    private static async Task<int> RunAsync(
        string bundle, string data, string split, double rate, string output, IAnsiConsole console, CancellationToken cancellation)
    {
        try
        {
            var rows = LabelledRowReader.Read(data).Where(r => r.Split is null || r.Split == split).ToList();
            await using var guard = Guard.Load(bundle);
            var read = new (StageReadings, bool)?[rows.Count];
            await Parallel.ForAsync(0, rows.Count, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation }, async (i, token) =>
            {
                try
                {
                    read[i] = ((await guard.ReadStagesAsync(rows[i].Conversation, token)).Stages, rows[i].IsHarmful);
                }
                catch (PromptTooLongException)
                {
                    // Stays null: the service would not judge it either.
                }
            });

            List<(StageReadings, bool)> judged = [.. read.OfType<(StageReadings, bool)>()];
            var calibration = Calibrator.Fit(judged, rate);
            await File.WriteAllBytesAsync(output, calibration.ToJson(), cancellation);
            console.Write(Table(judged, calibration));
            console.MarkupLineInterpolated($"A rule is violated from {calibration.ViolationThreshold:F3} on; rules are checked from {calibration.CheckThreshold:F3} on.");
            console.MarkupLineInterpolated($"Wrote {output}. Export the checkpoint again with it as {BundleManifest.CalibrationFile}.");
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or ArgumentException or EngineUnavailableException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
    }
}
