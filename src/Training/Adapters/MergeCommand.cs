using System.CommandLine;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Model;
using Spectre.Console;

namespace SaferGuard.Training.Adapters;

/// <summary>The <c>merge</c> verb.</summary>
public static class MergeCommand
{
    public static Command Create()
    {
        var source = new Option<string>("--checkpoint") { Description = "Folder of the model that was adapted.", Required = true };
        var adapter = new Option<string>("--adapter") { Description = "Folder of the adapter: that of sft, or one that PEFT wrote.", Required = true };
        var target = new Option<string>("--out") { Description = "Folder to write; it must not exist.", Required = true };
        var command = new Command("merge", "Merge an adapter into the weights of its model, to export them.") { source, adapter, target };
        command.SetAction(parsed => NewFolder.Write(
            AnsiConsole.Console,
            parsed.GetRequiredValue(target),
            folder => Merge(parsed.GetRequiredValue(source), parsed.GetRequiredValue(adapter), folder)));
        return command;
    }

    /// <exception cref="InvalidDataException">A folder holds no model or no adapter for it.</exception>
    internal static void Merge(string source, string adapter, string target)
    {
        using var decoder = Decoder.Load(source);
        AdapterFolder.Load(decoder, adapter);
        decoder.Save(target);
        foreach (var file in (string[])[Checkpoint.TokenizerFile, "policy.yaml"])
        {
            if (File.Exists(Path.Combine(source, file))) File.Copy(Path.Combine(source, file), Path.Combine(target, file));
        }
    }
}
