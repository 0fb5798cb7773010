using System.Runtime.Intrinsics.X86;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>Whether the processor multiplies unsigned by signed bytes into 32 bits without saturating in between (VNNI).</summary>
internal static class Int8DotProduct
{
    private const int ExtendedFeatures = 7; // the leaf of CPUID
    private const int Avx512Vnni = 1 << 11; // of ECX in subleaf 0
    private const int AvxVnni = 1 << 4; // of EAX in subleaf 1

    /// <summary>Read from the processor, because .NET has no name for the 512-bit form.</summary>
    public static bool IsSupported { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= ExtendedFeatures && HasVnni();

    private static bool HasVnni()
    {
        var (subleaves, _, features, _) = X86Base.CpuId(ExtendedFeatures, 0);
        return (Avx512F.IsSupported && (features & Avx512Vnni) != 0)
            || (Avx2.IsSupported && subleaves >= 1 && (X86Base.CpuId(ExtendedFeatures, 1).Eax & AvxVnni) != 0);
    }
}
