using System.CommandLine;
using Spectre.Console;

namespace SaferGuard.Training.Adapters;

/// <summary>The <c>grow</c> verb.</summary>
public static class GrowCommand
{
    public static Command Create()
    {
        var source = new Option<string>("--checkpoint")
        {
            Description = "Folder of a Llama, Mistral or Qwen model from Hugging Face: config.json, safetensors, tokenizer.json.",
            Required = true,
        };
        var target = new Option<string>("--out") { Description = "Folder to write; it must not exist.", Required = true };
        var seed = new Option<int>("--seed") { Description = "Of the noise of the new rows.", DefaultValueFactory = _ => 1 };
        var command = new Command("grow", "Give a checkpoint the special tokens of traces, so that sft --start can train it.") { source, target, seed };
        command.SetAction(parsed => NewFolder.Write(AnsiConsole.Console, parsed.GetRequiredValue(target), folder =>
        {
            var count = GrownCheckpoint.Write(parsed.GetRequiredValue(source), folder, parsed.GetValue(seed));
            AnsiConsole.MarkupLineInterpolated($"{count} tokens are new.");
        }));
        return command;
    }
}
