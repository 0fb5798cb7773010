using TorchSharp;

namespace SaferGuard.Training.Tests.Model;

[Collection(nameof(Torch))]
public sealed class LibTorchTests
{
    [Fact]
    public void LibTorchSharp_loads_and_computes()
    {
        using var sum = torch.ones(2, 3).sum();

        Assert.Equal(6f, sum.item<float>());
    }
}
