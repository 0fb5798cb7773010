using System.Runtime.InteropServices;

namespace SaferGuard.Training.Runs;

/// <summary>
/// glibc hands every large block back to the kernel when it is freed, and training frees its tensors at every step: products become four times
/// slower. Its settings are read at the start of a process, so that the process replaces itself by one that has them.
/// </summary>
internal static partial class GlibcMemory
{
    private static readonly (string Name, string Value)[] Settings =
        [("MALLOC_MMAP_MAX_", "0"), ("MALLOC_TRIM_THRESHOLD_", "17179869184"), ("MALLOC_TOP_PAD_", "134217728")];

    /// <summary>Starts this process again with the settings, on Linux and where they are not set. Returns otherwise.</summary>
    public static void KeepFreedBlocks()
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessPath is not { } program) return;
        if (Settings.Any(s => Environment.GetEnvironmentVariable(s.Name) is not null)) return;
        foreach (var (name, value) in Settings) _ = SetVariable(name, value, overwrite: 1);
        string?[] arguments = [.. File.ReadAllText("/proc/self/cmdline").Split('\0')[..^1], null];
        _ = Execute(program, arguments);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    /// <summary>Returns only if it fails; then the run is merely slower.</summary>
    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);
}
