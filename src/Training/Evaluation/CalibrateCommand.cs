using System.CommandLine;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
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
            Description = "Share of harmless rows that may be refused.", DefaultValueFactory = _ => 0.05,
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
                    read[i] = (await guard.ReadStagesAsync(rows[i].Conversation, token), rows[i].IsHarmful);
                }
                catch (PromptTooLongException)
                {
                    // Stays null: the service would not judge it either.
                }
            });

            var calibration = Calibrator.Fit([.. read.OfType<(StageReadings, bool)>()], rate);
            await File.WriteAllBytesAsync(output, calibration.ToJson(), cancellation);
            console.MarkupLineInterpolated($"{rows.Count} rows of split '{split}': {calibration}");
            console.MarkupLineInterpolated($"Wrote {output}. Export the checkpoint again with it as {BundleManifest.CalibrationFile}.");
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or ArgumentException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
    }
}
