using System.Diagnostics;

namespace SaferGuard.Benchmarks;

/// <summary>Another program that is run to its end.</summary>
internal static class ChildProcess
{
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder ?? Repository.Root,
            RedirectStandardOutput = true,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} failed ({process.ExitCode}): {output}");
    }
}
