using SaferGuard.Exporter.Tests;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Model;

[Collection(nameof(Torch))]
public sealed class MemoryEstimateTests
{
    private static readonly LoraOptions Lora = new() { Rank = 4, Targets = "q_proj,up_proj" };

    [Theory]
    [InlineData("llama-2", ScalarType.BFloat16)]
    [InlineData("llama-with-biases", ScalarType.Float32)]
    [InlineData("qwen3", ScalarType.BFloat16)]
    public void Weights_and_adapters_are_counted_to_the_byte(string like, ScalarType compute)
    {
        using var folder = new TemporaryFolder();
        var config = HuggingFaceFolder.Write(folder.Path, like).Config;
        using var decoder = Decoder.Load(folder.Path, compute);
        decoder.Adapt(new Adaptation(Lora, [1, 2, 3]));

        var memory = MemoryEstimate.Of(config, Lora, tokens: 3, compute, isAveraged: false, batchTokens: 512, maxTokens: 128);

        Assert.Equal(decoder.parameters().Where(p => !p.requires_grad).Sum(p => p.numel() * p.element_size()), memory.Weights);
        var trained = decoder.Trained().Sum(p => p.Parameter.numel());
        Assert.Equal((4 * trained, 4 * trained, 8 * trained, 0), (memory.Adapters, memory.Gradients, memory.Optimiser, memory.Average));
    }

    [Fact]
    public void Training_everything_takes_at_least_sixteen_bytes_a_weight_and_four_more_for_the_average()
    {
        using var decoder = new Decoder(TinyModel.Config);
        var weights = decoder.parameters().Sum(p => p.numel());

        var plain = MemoryEstimate.Of(TinyModel.Config, null, 0, ScalarType.Float32, isAveraged: false, 512, 64);
        var averaged = MemoryEstimate.Of(TinyModel.Config, null, 0, ScalarType.Float32, isAveraged: true, 512, 64);

        Assert.Equal(16 * weights, plain.Fixed);
        Assert.Equal(20 * weights, averaged.Fixed);
    }

    [Fact]
    public void What_cannot_fit_is_refused_and_what_may_not_fit_is_warned_of()
    {
        var memory = new MemoryEstimate(Weights: 4_000_000_000, Adapters: 0, Gradients: 1_000_000_000, Optimiser: 0, Average: 0, Activations: 3_000_000_000);

        Assert.Contains("5 GB", Assert.Throws<InvalidDataException>(() => memory.Check(4_900_000_000)).Message, StringComparison.Ordinal);
        Assert.Contains("batch_tokens", memory.Check(9_900_000_000), StringComparison.Ordinal);
        Assert.Null(memory.Check(10_000_000_000));
        Assert.Contains("at the peak about 10 GB", memory.Describe(512), StringComparison.Ordinal);
    }
}
