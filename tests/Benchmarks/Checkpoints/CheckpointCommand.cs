using System.CommandLine;

namespace SaferGuard.Benchmarks.Checkpoints;

/// <summary>The <c>checkpoint</c> verb.</summary>
internal static class CheckpointCommand
{
    public static Command Create()
    {
        var shape = new Option<string>("--shape") { Description = "nano (the bundled model's) or 135m (SmolLM2-135M's).", Required = true };
        shape.AcceptOnlyFromAmong([.. ModelShape.All.Keys]);
        var target = new Option<string>("--out") { Description = "Folder to write.", Required = true };
        var seed = new Option<int>("--seed") { Description = "Other seeds give other weights.", DefaultValueFactory = _ => 1 };
        var command = new Command("checkpoint", "Write a checkpoint with random weights that a guard can run.") { shape, target, seed };
        command.SetAction(parsed => RandomCheckpoint.Write(
            parsed.GetRequiredValue(target), ModelShape.All[parsed.GetRequiredValue(shape)], parsed.GetValue(seed)));
        return command;
    }
}
