using SaferGuard.Training.Runs;
using TorchSharp;

namespace SaferGuard.Training.Tests.Runs;

[Collection(nameof(Torch))]
public sealed class TorchDeviceTests
{
    [Fact]
    public void Without_a_GPU_cuda_is_refused_in_words()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "There is a GPU.");

        Assert.Contains("TorchFlavor", Assert.Throws<InvalidDataException>(() => TorchDevice.Use(TorchDevice.Cuda)).Message, StringComparison.Ordinal);
        Assert.Equal(DeviceType.CPU, torch.get_default_device().type);
    }
}
