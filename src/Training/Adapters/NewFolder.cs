using SaferGuard.Training.Runs;
using Spectre.Console;

namespace SaferGuard.Training.Adapters;

/// <summary>The folder that a verb writes: whole, or not at all.</summary>
internal static class NewFolder
{
    /// <returns>The exit code of the verb.</returns>
    public static int Write(IAnsiConsole console, string path, Action<string> write)
    {
        try
        {
            path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            if (Path.Exists(path)) throw new InvalidDataException($"{path} exists already.");
            AtomicFolder.Replace(path, write);
            console.MarkupLineInterpolated($"Wrote {path}.");
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
    }
}
