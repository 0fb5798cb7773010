using Microsoft.ML.OnnxRuntime;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// Custom ops for ONNX Runtime written in C#, with no native library, for the CPU: <c>PagedAttention</c> (fp32) and <c>RowQuant</c> of the
/// domain com.microsoft, and in a domain of our own what stands between int8 products: <c>QuantPagedAttention</c>, <c>AddNormQuant</c> and
/// <c>SwiGluQuant</c>.
/// </summary>
public static unsafe class CustomOpLibrary
{
    /// <summary>The domain of the ops that ONNX Runtime has not even a schema of.</summary>
    public const string OwnDomain = "saferguard";

    // For each instruction set, kept for ever: sessions refer to the ops.
    private static readonly Lazy<nint[]>[] Domains =
        [.. Enum.GetValues<KernelIsa>().Select(isa => new Lazy<nint[]>(() => [CreateMicrosoftDomain(isa), CreateOwnDomain(isa)]))];

    /// <summary>Makes the ops known to sessions created with the options, for the best instruction set or for a given one.</summary>
    /// <exception cref="InvalidOperationException">Another version of ONNX Runtime is loaded than the ops are written for.</exception>
    /// <exception cref="PlatformNotSupportedException">This processor has not the instructions.</exception>
    public static void Register(SessionOptions options, KernelIsa? isa = null)
    {
        var chosen = isa ?? KernelIsa.Best;
        if (!chosen.IsSupported)
            throw new PlatformNotSupportedException($"This processor does not have the instructions of {chosen}.");
        OrtFunctions.Load();
        foreach (var domain in Domains[(int)chosen].Value)
            OrtFunctions.AddDomain(options.DangerousGetHandle(), domain);
        GC.KeepAlive(options);
    }

    private static nint CreateMicrosoftDomain(KernelIsa isa)
    {
        var domain = OrtFunctions.CreateDomain("com.microsoft");
        OrtFunctions.AddOp(domain, PagedAttentionOp.Define(isa));
        OrtFunctions.AddOp(domain, RowQuantOp.Define(isa));
        return domain;
    }

    private static nint CreateOwnDomain(KernelIsa isa)
    {
        var domain = OrtFunctions.CreateDomain(OwnDomain);
        OrtFunctions.AddOp(domain, QuantPagedAttentionOp.Define(isa));
        OrtFunctions.AddOp(domain, AddNormQuantOp.Define(isa));
        OrtFunctions.AddOp(domain, SwiGluQuantOp.Define(isa));
        return domain;
    }
}
