using System.CommandLine;
using System.Runtime.Intrinsics.X86;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Model;
using SaferGuard.Training.Runs;
using Spectre.Console;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>The <c>sft</c> verb.</summary>
public static class SftCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Rows that synthesize wrote (JSON lines).", Required = true };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "tokenizer.json that tokenizer wrote, for a new model." };
        var start = new Option<string?>("--start")
        {
            Description = "Instead: a checkpoint to train on, with its tokenizer.json. One of others first goes through the verb grow.",
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder of the run: log.jsonl, state (to resume from) and, at the end, checkpoint (to export).",
            Required = true,
        };
        var recipe = new Option<string?>("--recipe")
        {
            Description = "JSON file with the sizes (\"model\") and settings (\"training\") that differ from the defaults.",
        };
        var loraRank = new Option<int?>("--lora-rank")
        {
            Description = "Freeze the weights of --start and train adapters of this rank, here or in the recipe's \"lora\". Frozen weights are kept in --precision.",
        };
        var loraAlpha = new Option<double?>("--lora-alpha") { Description = "Adapters count by this over their rank." };
        var loraDropout = new Option<double?>("--lora-dropout") { Description = "Dropout of what adapters read." };
        var loraTargets = new Option<string?>("--lora-targets") { Description = $"Projections to adapt, by default all: {new LoraOptions().Targets}." };
        var epochs = new Option<int?>("--epochs") { Description = "Instead of the recipe's." };
        var seed = new Option<int?>("--seed") { Description = "Instead of the recipe's." };
        var resume = new Option<bool>("--resume") { Description = "Go on with the run that --out holds." };
        var precision = new Option<string>("--precision")
        {
            Description = "Precision of the large products: bf16, fp32, or auto: bf16 on a GPU, or where the CPU has instructions for it.",
            DefaultValueFactory = _ => "auto",
        };
        precision.AcceptOnlyFromAmong("auto", "bf16", "fp32");
        var device = new Option<string>("--device") { Description = "cpu, or cuda in a build with -p:TorchFlavor=Cuda.", DefaultValueFactory = _ => TorchDevice.Cpu };
        device.AcceptOnlyFromAmong(TorchDevice.Cpu, TorchDevice.Cuda);
        var threads = new Option<int>("--threads") { Description = "Threads of torch. Fewer are faster while other work keeps the CPU busy.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var devRows = new Option<int>("--dev-rows") { Description = "Dev rows scored after each epoch.", DefaultValueFactory = _ => 4000 };
        var saveMinutes = new Option<double>("--save-minutes") { Description = "Time between two saved states.", DefaultValueFactory = _ => 5 };
        threads.Validators.Add(r => { if (r.GetValueOrDefault<int>() < 1) r.AddError("--threads must be at least 1."); });
        devRows.Validators.Add(r => { if (r.GetValueOrDefault<int>() < 0) r.AddError("--dev-rows must not be negative."); });
        saveMinutes.Validators.Add(r => { if (!(r.GetValueOrDefault<double>() > 0)) r.AddError("--save-minutes must be above 0."); });

        var command = new Command("sft", "Train a model on traces (supervised fine-tuning). Ctrl-C saves the run; --resume goes on with it.")
        {
            data, tokenizer, start, output, recipe, loraRank, loraAlpha, loraDropout, loraTargets, epochs, seed, resume, precision, device, threads, devRows,
            saveMinutes,
        };
        command.Validators.Add(r =>
        {
            if (r.GetValue(tokenizer) is null == r.GetValue(start) is null) r.AddError("Give either --tokenizer (a new model) or --start (a checkpoint).");
        });
        command.SetAction((parsed, stop) => RunProcess.TrainAsync(
            () =>
            {
                var settings = parsed.GetValue(recipe) is { } path ? SftRecipe.Read(path) : new SftRecipe();
                settings = settings with
                {
                    Lora = LoraOf(settings.Lora, parsed.GetValue(loraRank), parsed.GetValue(loraAlpha), parsed.GetValue(loraDropout), parsed.GetValue(loraTargets)),
                    Training = settings.Training with
                    {
                        Epochs = parsed.GetValue(epochs) ?? settings.Training.Epochs,
                        Seed = parsed.GetValue(seed) ?? settings.Training.Seed,
                    },
                };
                if (settings.Errors().ToList() is { Count: > 0 } errors) throw new InvalidDataException(string.Join("; ", errors));
                TorchDevice.Use(parsed.GetRequiredValue(device));
                set_num_threads(parsed.GetValue(threads));
                var folder = parsed.GetValue(start);
                var run = new SftRun(
                    parsed.GetRequiredValue(data), parsed.GetValue(tokenizer) ?? Path.Combine(folder!, Checkpoint.TokenizerFile),
                    parsed.GetRequiredValue(output), settings, parsed.GetValue(resume),
                    PrecisionOf(parsed.GetValue(precision), parsed.GetRequiredValue(device)), TimeSpan.FromMinutes(parsed.GetValue(saveMinutes)),
                    parsed.GetValue(devRows))
                {
                    Start = folder,
                };
                return (run.CheckpointFolder, Task.Run(() => run.Train(AnsiConsole.Console, TimeProvider.System, stop), CancellationToken.None));
            },
            AnsiConsole.Console));
        return command;
    }

    /// <summary>The recipe's, with what the command line says instead; null where neither asks for adapters.</summary>
    private static LoraOptions? LoraOf(LoraOptions? recipe, int? rank, double? alpha, double? dropout, string? targets)
    {
        if (recipe is null && (rank, alpha, dropout, targets) is (null, null, null, null)) return null;
        recipe ??= new LoraOptions();
        return recipe with
        {
            Rank = rank ?? recipe.Rank,
            Alpha = alpha ?? recipe.Alpha,
            Dropout = dropout ?? recipe.Dropout,
            Targets = targets ?? recipe.Targets,
        };
    }

    private static ScalarType PrecisionOf(string? name, string device) => name switch
    {
        "bf16" => ScalarType.BFloat16,
        "fp32" => ScalarType.Float32,
        _ => device == TorchDevice.Cuda || MultipliesBFloat16() ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    /// <summary>AVX512_BF16: leaf 7, sub-leaf 1, bit 5 of EAX.</summary>
    private static bool MultipliesBFloat16() => X86Base.IsSupported && (X86Base.CpuId(7, 1).Eax >> 5 & 1) == 1;
}
