using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed class Int8DotProductTests
{
    [Fact]
    public void The_processor_is_asked_what_the_kernel_of_the_system_sees_too()
    {
        Assert.SkipUnless(File.Exists("/proc/cpuinfo"), "Only Linux lists the processor's features in a file.");
        var features = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') ?? [];
        Assert.Equal(features.Contains("avx512_vnni") || features.Contains("avx_vnni"), Int8DotProduct.IsSupported);
    }
}
