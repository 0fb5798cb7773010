using SaferGuard.Training.Runs;
using SaferGuard.Training.Sft;
using TorchSharp;

namespace SaferGuard.Training.Tests.Sft;

[Collection(nameof(Torch))]
public sealed class SftCommandTests
{
    [Theory]
    [InlineData("--tokenizer t --start s")]
    [InlineData("")]
    [InlineData("--start s --device tpu")]
    public void What_contradicts_itself_is_refused(string arguments) =>
        Assert.NotEmpty(SftCommand.Create().Parse($"--data d --out o {arguments}").Errors);

    [Fact]
    public void A_checkpoint_stands_for_its_tokeniser() =>
        Assert.Empty(SftCommand.Create().Parse("--data d --out o --start s --lora-rank 8 --lora-targets q_proj,v_proj").Errors);

    [Fact]
    public void Without_a_GPU_cuda_is_refused_in_words()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "There is a GPU.");

        Assert.Contains("TorchFlavor", Assert.Throws<InvalidDataException>(() => TorchDevice.Use(TorchDevice.Cuda)).Message, StringComparison.Ordinal);
        Assert.Equal(DeviceType.CPU, torch.get_default_device().type);
    }
}
