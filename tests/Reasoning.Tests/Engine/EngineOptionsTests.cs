using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

public sealed class EngineOptionsTests
{
    [Theory]
    [InlineData(Device.Cpu)]
    [InlineData(Device.Cuda)]
    public void The_defaults_are_in_range_on_every_device(Device device) => Assert.Empty(new EngineOptions { Device = device }.Errors());

    [Fact]
    public void Every_error_of_the_device_is_named()
    {
        Assert.Contains("Device is 7", Assert.Single(new EngineOptions { Device = (Device)7 }.Errors()));
        Assert.Contains("DeviceId", Assert.Single(new EngineOptions { DeviceId = -1 }.Errors()));
        Assert.Contains("KvCache", Assert.Single(new EngineOptions { Device = Device.Cuda, KvCache = KvCacheFormat.Bf16 }.Errors()));
    }
}
