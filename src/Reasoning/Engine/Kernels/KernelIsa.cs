using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>The instruction set that the kernels are run with.</summary>
public enum KernelIsa
{
    /// <summary>One float at a time, on any processor.</summary>
    Scalar,

    /// <summary>Eight floats at a time (AVX2 and FMA).</summary>
    Avx2,

    /// <summary>Sixteen floats at a time.</summary>
    Avx512,
}

/// <summary>What this processor offers.</summary>
public static class KernelIsaSupport
{
    extension(KernelIsa isa)
    {
        /// <summary>This processor has the instructions.</summary>
        public bool IsSupported => isa switch
        {
            KernelIsa.Scalar => true,
            KernelIsa.Avx2 => Avx2.IsSupported && Fma.IsSupported,
            KernelIsa.Avx512 => Avx512F.IsSupported && Avx2.IsSupported && Fma.IsSupported,
            _ => false,
        };

        /// <summary>The fastest one here; processors that slow down under 512-bit vectors get 256-bit ones.</summary>
        public static KernelIsa Best =>
            KernelIsa.Avx512.IsSupported && Vector512.IsHardwareAccelerated ? KernelIsa.Avx512
            : KernelIsa.Avx2.IsSupported ? KernelIsa.Avx2
            : KernelIsa.Scalar;
    }
}
