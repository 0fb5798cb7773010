using SaferGuard.Training.Sft;

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
}
