using System.CommandLine;
using SaferGuard.Training.Runs;
using Spectre.Console;
using static TorchSharp.torch;

namespace SaferGuard.Training.Preference;

/// <summary>The <c>erpo</c> verb.</summary>
public static class ErpoCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Rows that synthesize wrote (JSON lines).", Required = true };
        var checkpoint = new Option<string>("--checkpoint") { Description = "Checkpoint to train, for example that of an sft run.", Required = true };
        var bundle = new Option<string>("--bundle") { Description = "Export of that checkpoint: its traces are sampled and held against the rows.", Required = true };
        var output = new Option<string>("--out")
        {
            Description = "Folder of the iteration: rollouts.jsonl, pairs.jsonl, log.jsonl, state and, at the end, checkpoint (to export, for the next iteration).",
            Required = true,
        };
        var recipe = new Option<string?>("--recipe")
        {
            Description = "JSON file with the settings of \"roll_outs\", \"pairs\" and \"training\" that differ from the defaults.",
        };
        var seed = new Option<int?>("--seed") { Description = "Instead of the recipe's two. Another seed rolls out other rows." };
        var prompts = new Option<int?>("--prompts") { Description = "Rows to roll out, instead of the recipe's." };
        var resume = new Option<bool>("--resume") { Description = "Go on with the iteration that --out holds." };
        var threads = new Option<int>("--threads") { Description = "Threads of the engine and of torch.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var devRows = new Option<int>("--dev-rows") { Description = "Dev rows scored at each evaluation.", DefaultValueFactory = _ => 4000 };
        var saveMinutes = new Option<double>("--save-minutes") { Description = "Time between two saved states.", DefaultValueFactory = _ => 5 };
        threads.Validators.Add(r => { if (r.GetValueOrDefault<int>() < 1) r.AddError("--threads must be at least 1."); });
        prompts.Validators.Add(r => { if (r.GetValueOrDefault<int?>() < 1) r.AddError("--prompts must be at least 1."); });
        devRows.Validators.Add(r => { if (r.GetValueOrDefault<int>() < 0) r.AddError("--dev-rows must not be negative."); });
        saveMinutes.Validators.Add(r => { if (!(r.GetValueOrDefault<double>() > 0)) r.AddError("--save-minutes must be above 0."); });

        var command = new Command(
            "erpo", "Improve a model by its own traces: one iteration of step-level preference optimisation. Ctrl-C saves it; --resume goes on with it.")
        {
            data, checkpoint, bundle, output, recipe, seed, prompts, resume, threads, devRows, saveMinutes,
        };
        command.SetAction((parsed, stop) => RunProcess.TrainAsync(
            () =>
            {
                var settings = parsed.GetValue(recipe) is { } path ? ErpoRecipe.Read(path) : new ErpoRecipe();
                settings = settings with
                {
                    RollOuts = settings.RollOuts with
                    {
                        Seed = parsed.GetValue(seed) ?? settings.RollOuts.Seed,
                        Prompts = parsed.GetValue(prompts) ?? settings.RollOuts.Prompts,
                    },
                    Training = settings.Training with { Seed = parsed.GetValue(seed) ?? settings.Training.Seed },
                };
                set_num_threads(parsed.GetValue(threads));
                var run = new ErpoRun(
                    parsed.GetRequiredValue(data), parsed.GetRequiredValue(checkpoint), parsed.GetRequiredValue(bundle), parsed.GetRequiredValue(output),
                    settings, parsed.GetValue(resume), parsed.GetValue(threads), TimeSpan.FromMinutes(parsed.GetValue(saveMinutes)), parsed.GetValue(devRows));
                return (run.CheckpointFolder, run.TrainAsync(AnsiConsole.Console, TimeProvider.System, stop));
            },
            AnsiConsole.Console));
        return command;
    }
}
