using SaferGuard.Reasoning.Engine;
using Spectre.Console;

namespace SaferGuard.Training.Runs;

/// <summary>Runs training as a process: its memory, what it says at the end, and its exit code.</summary>
internal static class RunProcess
{
    private const int Interrupted = 130;

    /// <param name="start">Reads the settings and starts a run: the checkpoint that it writes, and whether it came to its end.</param>
    public static async Task<int> TrainAsync(Func<(string Checkpoint, Task<bool> Training)> start, IAnsiConsole console)
    {
        GlibcMemory.KeepFreedBlocks();
        try
        {
            var (checkpoint, training) = await Task.Run(start);
            if (await training)
            {
                console.MarkupLineInterpolated($"Wrote {checkpoint}.");
                return 0;
            }

            console.MarkupLineInterpolated($"Interrupted and saved. Go on with --resume.");
            return Interrupted;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or ArithmeticException
            or EngineUnavailableException or EngineTimeoutException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
    }
}
