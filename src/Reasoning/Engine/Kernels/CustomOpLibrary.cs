using Microsoft.ML.OnnxRuntime;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// Custom ops for ONNX Runtime written in C#, with no native library: <c>PagedAttention</c> (fp32) and <c>RowQuant</c> of the
/// domain com.microsoft, for the CPU.
/// </summary>
public static unsafe class CustomOpLibrary
{
    // One per instruction set, kept for ever: sessions refer to the ops.
    private static readonly Lazy<nint>[] Domains = [.. Enum.GetValues<KernelIsa>().Select(isa => new Lazy<nint>(() => CreateDomain(isa)))];

    /// <summary>Makes the ops known to sessions created with the options, for the best instruction set or for a given one.</summary>
    /// <exception cref="InvalidOperationException">Another version of ONNX Runtime is loaded than the ops are written for.</exception>
    /// <exception cref="PlatformNotSupportedException">This processor has not the instructions.</exception>
    public static void Register(SessionOptions options, KernelIsa? isa = null)
    {
        var chosen = isa ?? KernelIsa.Best;
        if (!chosen.IsSupported)
            throw new PlatformNotSupportedException($"This processor does not have the instructions of {chosen}.");
        OrtFunctions.Load();
        OrtFunctions.AddDomain(options.DangerousGetHandle(), Domains[(int)chosen].Value);
        GC.KeepAlive(options);
    }

    private static nint CreateDomain(KernelIsa isa)
    {
        var domain = OrtFunctions.CreateDomain("com.microsoft"u8);
        OrtFunctions.AddOp(domain, PagedAttentionOp.Define(isa));
        OrtFunctions.AddOp(domain, RowQuantOp.Define(isa));
        return domain;
    }
}
