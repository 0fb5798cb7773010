using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;
using Spectre.Console;

namespace SaferGuard.Exporter;

/// <summary>One export: read, write, prove, publish.</summary>
internal sealed class ExportRun(ExportOptions options, IAnsiConsole console, TimeProvider time)
{
    public const int Success = 0;
    public const int BadInput = 1;
    public const int NotExact = 2;

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        try
        {
            return await ExportAsync(cancellation);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or OnnxRuntimeException or DeviceUnavailableException)
        {
            console.MarkupLineInterpolated($"[red]Error:[/] {e.Message}");
            return BadInput;
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("[yellow]Cancelled; nothing was written.[/]");
            return BadInput;
        }
    }

    private async Task<int> ExportAsync(CancellationToken cancellation)
    {
        // Asked first, so that nobody waits for an answer that is known.
        var unavailable = OnnxModelRunner.WhyUnavailable(options.Weights.Device());
        if (options.Check && unavailable is not null) throw new DeviceUnavailableException($"{Name(options.Weights)} cannot be checked here. {unavailable}");
        var conversations = options.Dev is { } dev ? DevRows.Read(dev) : [];
        using var output = new OutputFolder(options.Out, BundleManifest.FileName, options.Force);
        var checkpoint = Step("Reading the checkpoint", () => Checkpoint.Load(options.Checkpoint));
        var tokenizer = BundleWriter.TokenizerOf(checkpoint, options.Traits);
        var isTrainers = Reference.IsIn(options.Checkpoint);
        var reference = isTrainers
            ? Step("Reading its trainer's logits", () => Reference.Load(options.Checkpoint, checkpoint.Config))
            : Step("Computing its logits plainly, as no trainer left any", () => Reference.Compute(checkpoint, tokenizer, cancellation));
        var proof = isTrainers ? "the trainer's logits" : "the plain logits";

        // Whatever is exported, the exact graph is what the reference proves.
        var bundle = Write(WeightFormat.Fp32);
        var parity = Step($"Comparing fp32 with {proof}", () => ParityCheck.Run(bundle, reference));
        var reports = new List<(WeightFormat Format, ParityReport Report)> { (WeightFormat.Fp32, parity) };
        VerdictAgreement? agreement = null;
        if (parity.IsExact && options.Weights != WeightFormat.Fp32)
        {
            cancellation.ThrowIfCancellationRequested();
            var exact = bundle;
            bundle = Write(options.Weights);
            if (unavailable is null)
            {
                reports.Add((options.Weights, Step($"Comparing {Name(options.Weights)} with {proof}", () => ParityCheck.Run(bundle, reference))));
                if (conversations.Count > 0) agreement = await CompareAsync(exact, bundle, conversations, cancellation);
            }
        }

        console.Write(ExportTables.Parity(reports));
        if (!reports.All(r => r.Format.Accepts(r.Report)))
        {
            console.MarkupLine("[red]The graph does not compute what the model computes; nothing was written.[/]");
            return NotExact;
        }

        if (unavailable is not null)
        {
            console.MarkupLineInterpolated(
                $"[yellow]The {Name(options.Weights)} graph was never run:[/] {unavailable} Only the fp32 graph of the same weights is proved. On a machine with the device, --check proves this one.");
        }

        if (tokenizer.MissingTraceTokens.Count > 0)
            console.MarkupLine("[yellow]The model has no tokens for traces: it answers, but a guard will not load it.[/]");
        if (agreement is not null) console.Write(ExportTables.Agreement(agreement));
        cancellation.ThrowIfCancellationRequested();
        output.Publish(bundle.Folder);
        console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"[green]{options.Traits.Id}[/] ({Name(options.Weights)}, {bundle.Manifest.Files.Values.Sum(f => f.Bytes) / 1e6:F1} MB) → {options.Out}");
        return Success;

        ModelBundle Write(WeightFormat format) => Step(
            $"Writing the {Name(format)} graph",
            () => BundleWriter.Write(checkpoint, format, options.Traits, output.Folder(Name(format)), time));
    }

    private async Task<VerdictAgreement> CompareAsync(
        ModelBundle exact, ModelBundle quantised, IReadOnlyList<Conversation> conversations, CancellationToken cancellation)
    {
        await using var exactGuard = Guard.Load(exact.Folder);
        await using var quantisedGuard = Guard.Load(quantised.Folder, new EngineOptions { Device = quantised.Manifest.Device });
        return await console.Progress().StartAsync(progress =>
        {
            var task = progress.AddTask("Judging the dev rows twice", maxValue: conversations.Count);
            return VerdictAgreement.MeasureAsync(exactGuard, quantisedGuard, conversations, () => task.Increment(1), cancellation);
        });
    }

    private T Step<T>(string what, Func<T> work)
    {
        var start = time.GetTimestamp();
        var result = console.Profile.Capabilities.Interactive ? console.Status().Start($"{what}…", _ => work()) : work();
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{what} [grey]{time.GetElapsedTime(start).TotalSeconds:F1} s[/]");
        return result;
    }

    private static string Name(WeightFormat format) => format.ToString().ToLowerInvariant();
}
