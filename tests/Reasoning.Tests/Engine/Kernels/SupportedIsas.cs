using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>The instruction sets of the processor that the tests run on.</summary>
public sealed class SupportedIsas : TheoryData<KernelIsa>
{
    public SupportedIsas() => AddRange(All.ToArray());

    public static IEnumerable<KernelIsa> All => Enum.GetValues<KernelIsa>().Where(isa => isa.IsSupported);
}
