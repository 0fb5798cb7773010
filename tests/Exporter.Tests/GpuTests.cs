using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter.Tests;

/// <summary>The CUDA runner against the plain model and the CPU. Skipped, with the reason, where a device or the build for it is missing.</summary>
[Trait("Category", "Gpu")]
public sealed class GpuTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public GpuTests() => Assert.SkipUnless(Missing is null, Missing ?? "");

    private static string? Missing { get; } = OnnxModelRunner.WhyUnavailable(Device.Cuda);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama-3", nameof(WeightFormat.Fp16), 0.02)]
    [InlineData("llama-3", nameof(WeightFormat.Bf16), 0.1)]
    [InlineData("smollm2", nameof(WeightFormat.Fp16), 0.02)]
    [InlineData("mistral", nameof(WeightFormat.Bf16), 0.1)]
    [InlineData("qwen2", nameof(WeightFormat.Fp16), 0.02)]
    [InlineData("qwen3", nameof(WeightFormat.Bf16), 0.1)]
    public void Sequences_that_join_and_leave_get_nearly_the_logits_of_the_plain_model(string like, string format, double limit)
    {
        var checkpoint = HuggingFaceFolder.Write(_folder["checkpoint"], like, format == nameof(WeightFormat.Fp16) ? "F16" : "BF16");
        Directory.CreateDirectory(_folder["bundle"]);
        TransformerExporter.Export(checkpoint, Enum.Parse<WeightFormat>(format), _folder["bundle"]);
        using var run = new RaggedRun(checkpoint, _folder["bundle"], device: Device.Cuda);
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 41))
        {
            Assert.InRange(Runs.RelativeError(actual, expected), 0, limit);

            // The likeliest token is one that is hardly less likely to the plain model.
            Assert.InRange(expected.Max() - expected[actual.IndexOf(actual.Max())], 0, 2 * limit * expected.Max(MathF.Abs));
        }
    }

    [Fact]
    public void Models_with_ngrams_get_nearly_the_logits_of_the_plain_model()
    {
        using var run = Runs.Open(_folder, WeightFormat.Fp16, out var checkpoint);
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 42)) Assert.InRange(Runs.RelativeError(actual, expected), 0, 0.02);
    }

    [Fact]
    public void A_copied_block_reads_as_the_original_and_is_another() => Runs.ForkAndCompare(_folder, WeightFormat.Fp16, limit: 0.02);

    [Fact]
    public void A_pass_allocates_no_managed_memory_whatever_its_shape() => Runs.AllocateNothing(_folder, WeightFormat.Fp16);

    [Fact]
    public void A_sequence_over_several_blocks_is_read_whole()
    {
        // Longer than a block of the device, with a tail in the second one.
        var config = TinyCheckpoint.Config() with { MaxPositionEmbeddings = 1024 };
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], config);
        foreach (var format in new[] { WeightFormat.Fp32, WeightFormat.Fp16 })
        {
            Directory.CreateDirectory(_folder[$"{format}"]);
            TransformerExporter.Export(checkpoint, format, _folder[$"{format}"]);
        }

        var tokens = TinyCheckpoint.Tokens(new Random(43), 600);
        using var cpu = new RaggedRun(checkpoint, _folder["Fp32"]);
        using var gpu = new RaggedRun(checkpoint, _folder["Fp16"], device: Device.Cuda);
        RaggedRun.Cursor expected = new(tokens), actual = new(tokens);
        foreach (var take in new[] { 200, 200, 199, 1 })
        {
            var (e, a) = (cpu.Step((expected, take))[0], gpu.Step((actual, take))[0]);
            for (var i = 0; i < take; i++) Assert.InRange(Runs.RelativeError(a[i], e[i]), 0, 0.02);
        }
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Fp16))]
    [InlineData(nameof(WeightFormat.Bf16))]
    public void Every_node_runs_on_the_device(string format)
    {
        Runs.Open(_folder, Enum.Parse<WeightFormat>(format), out _).Dispose();
        using var options = new SessionOptions();
        options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
        options.AppendExecutionProvider_CUDA();
        using var session = new InferenceSession(_folder["bundle/model.onnx"], options);
        Assert.Contains("logits", session.OutputMetadata.Keys);
    }

    [Fact]
    public async Task A_bundle_judges_on_the_device_as_it_does_on_the_CPU()
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config() with { MaxPositionEmbeddings = 2048 });
        var guards = new List<Guard>();
        foreach (var format in new[] { WeightFormat.Fp32, WeightFormat.Fp16 })
        {
            var bundle = BundleWriter.Write(checkpoint, format, new BundleTraits("tiny"), _folder[$"{format}"], TimeProvider.System);
            guards.Add(Guard.Load(bundle.Folder, new EngineOptions { Device = format.Device(), CacheTokens = 1 << 17 }));
        }

        await using Guard cpu = guards[0], gpu = guards[1];
        var prompts = Enumerable.Range(0, 16).Select(i => Conversation.OfPrompt("how do plants grow " + i.ToString(CultureInfo.InvariantCulture))).ToList();
        var judged = await Task.WhenAll(prompts.Select(async p => (
            await cpu.AssessAsync(p, TraceLevel.Full, cancellation: TestContext.Current.CancellationToken),
            await gpu.AssessAsync(p, TraceLevel.Full, cancellation: TestContext.Current.CancellationToken))));
        foreach (var (expected, actual) in judged) Assert.InRange(Math.Abs(expected.Scores.Refuse - actual.Scores.Refuse), 0, 0.05);
    }
}
