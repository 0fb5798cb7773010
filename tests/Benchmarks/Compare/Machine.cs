using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>What ran the measurements.</summary>
internal static class Machine
{
    public static string Describe(string peer)
    {
        var gigabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9;
        string[] sets = [.. new[] { (Avx2.IsSupported, "AVX2"), (Avx512F.IsSupported, "AVX-512"), (HasVnni(), "VNNI") }.Where(s => s.Item1).Select(s => s.Item2)];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Processor()}, {Environment.ProcessorCount} cores ({string.Join(", ", sets)}), {gigabytes:F0} GB; {RuntimeInformation.OSDescription}; "
            + $"{RuntimeInformation.FrameworkDescription}; ONNX Runtime {OrtEnv.Instance().GetVersionString()}; "
            + $"{peer}; at most {CompareOptions.Threads} threads on either side.");
    }

    private static string Processor() => CpuLine("model name") ?? $"{RuntimeInformation.ProcessArchitecture}";

    private static bool HasVnni() => CpuLine("flags")?.Contains("avx512_vnni", StringComparison.Ordinal) ?? false;

    private static string? CpuLine(string name) => !File.Exists("/proc/cpuinfo") ? null : File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
