using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

public sealed class PoolMemoryTests
{
    private static readonly EngineOptions Options = new() { CacheTokens = 65_536, Device = Device.Cuda };

    [Fact]
    public void Pools_that_fit_pass() => PoolMemory.Require(Options, poolBytes: 1 << 30, memoryBytes: 1 << 30);

    [Fact]
    public void Pools_that_do_not_fit_are_told_to_the_one_who_chose_their_size()
    {
        var error = Assert.Throws<ArgumentException>(() => PoolMemory.Require(Options, poolBytes: 3L << 30, memoryBytes: 1 << 30));
        Assert.Equal("options", error.ParamName);
        Assert.StartsWith("CacheTokens is 65536, which takes 3072 MiB; Cuda has 1024 MiB for it.", error.Message);
    }
}
