using System.CommandLine;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace SaferGuard.Exporter;

/// <summary>The <c>export</c> verb.</summary>
internal static partial class ExportCommand
{
    /// <param name="console">Where progress, tables and errors go; the terminal by default.</param>
    public static Command Create(IAnsiConsole? console = null, TimeProvider? time = null)
    {
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "Folder with config.json, model.safetensors or its shards, tokenizer.json and, from a trainer of ours, its reference.",
            Required = true,
        };
        var target = new Option<string>("--out") { Description = "Folder of the bundle to write.", Required = true };
        var id = new Option<string?>("--id") { Description = "Name of the model; that of the checkpoint's folder by default." };
        var weights = new Option<string>("--weights") { Description = "Format of the weights; fp16 and bf16 are for CUDA.", DefaultValueFactory = _ => "int8" };
        weights.AcceptOnlyFromAmong("fp32", "int8", "int4", "fp16", "bf16");
        var dev = new Option<string?>("--dev")
        {
            Description = "JSON lines with a prompt or a conversation each: report how often the bundle judges as fp32 does.",
        };
        var canAnswer = new Option<bool>("--can-answer") { Description = "The model was also trained to answer prompts; its chat template goes into the bundle." };
        var readsRuleText = new Option<bool>("--reads-rule-text") { Description = "The model was trained with the text of each rule before its query." };
        var maxPositions = new Option<int?>("--max-positions")
        {
            Description = "The longest sequence, trace included, in tokens; by default what the model has, but at most 8192.",
        };
        var check = new Option<bool>("--check") { Description = "Fail where the bundle cannot be run on the device that it is for." };
        var force = new Option<bool>("--force") { Description = "Replace a bundle that is there." };
        var command = new Command("export", "Write a model bundle from a checkpoint and prove that it computes the same.")
        {
            checkpoint, target, id, weights, dev, canAnswer, readsRuleText, maxPositions, check, force,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(dev) is not null && result.GetValue(weights) == "fp32")
                result.AddError("--dev compares other weights with fp32; there is nothing to compare for fp32 itself.");
            if (result.GetValue(maxPositions) is < 1) result.AddError("--max-positions takes a number from 1 on.");
            if (result.GetValue(id) is { } name && !IdPattern().IsMatch(name))
                result.AddError("--id takes letters, digits, dots, dashes and underscores, at most 64.");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var folder = Path.GetFullPath(parsed.GetRequiredValue(checkpoint));
            var options = new ExportOptions(
                folder,
                parsed.GetRequiredValue(target),
                new BundleTraits(
                    parsed.GetValue(id) ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)),
                    parsed.GetValue(canAnswer),
                    parsed.GetValue(readsRuleText),
                    parsed.GetValue(maxPositions)),
                Enum.Parse<WeightFormat>(parsed.GetRequiredValue(weights), ignoreCase: true),
                parsed.GetValue(dev),
                parsed.GetValue(check),
                parsed.GetValue(force));
            return new ExportRun(options, console ?? AnsiConsole.Console, time ?? TimeProvider.System).RunAsync(cancellation);
        });
        return command;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex IdPattern();
}
