using SaferGuard.Exporter;
using SaferGuard.Exporter.Tests;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Adapters;
using SaferGuard.Training.Data;
using SaferGuard.Training.Model;
using SaferGuard.Training.Sft;
using SaferGuard.Training.Tests.Model;
using Spectre.Console;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Sft;

/// <summary>Models of others, tiny and random: grown, adapted, merged, exported.</summary>
[Collection(nameof(Torch))]
public sealed class LoraRunTests : IDisposable
{
    private static readonly LoraOptions Lora = new() { Rank = 8, Alpha = 16, Dropout = 0 };

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new();

    private string Start => Path.Combine(_folder.Path, "grown");

    public void Dispose()
    {
        _folder.Dispose();
        _output.Dispose();
    }

    [Theory]
    [InlineData("llama-2", ScalarType.Float32)]
    [InlineData("qwen3", ScalarType.Float32)]
    [InlineData("qwen3", ScalarType.BFloat16)]
    public void A_few_rows_are_learned_by_heart_and_frozen_weights_stay(string like, ScalarType compute)
    {
        Grow(like);
        var before = Checkpoint.Load(Start);
        var decoder = Adapted(Lora, compute);
        using var trainer = Trainer(() => decoder, SmallData.Plain with { Epochs = 150, LearningRate = 1e-2, Weights = new LossWeights(Pooled: 0) }, compute);

        var steps = trainer.Steps().ToList();

        Assert.InRange(steps[^1].Loss, 0, compute == ScalarType.Float32 ? 0.1 : 0.2);
        Assert.True(steps[0].Loss > 2);
        foreach (var (name, parameter) in decoder.named_parameters().Where(p => !p.parameter.requires_grad))
        {
            using var widened = parameter.to(ScalarType.Float32);
            Assert.Equal(before.Read(name).Data, widened.data<float>().ToArray());
        }
    }

    [Theory]
    [InlineData("llama-3", ScalarType.Float32)]
    [InlineData("llama-with-biases", ScalarType.BFloat16)]
    [InlineData("qwen3", ScalarType.BFloat16)]
    public async Task A_run_leaves_an_adapter_and_a_merged_checkpoint_that_exports(string like, ScalarType compute)
    {
        Grow(like);
        var run = Run(compute);
        Assert.True(run.Train(Console(), TimeProvider.System, CancellationToken.None));

        var checkpoint = Checkpoint.Load(run.CheckpointFolder);
        var merged = Path.Combine(_folder.Path, "merged");
        Directory.CreateDirectory(merged);
        MergeCommand.Merge(Start, run.AdapterFolder, merged);
        foreach (var (name, _) in Checkpoint.TensorsOf(checkpoint.Config))
            Assert.All(checkpoint.Read(name).Data.Zip(Checkpoint.Load(merged).Read(name).Data), v => Assert.Equal(v.First, v.Second, 1e-5f));
        Assert.NotEqual(
            Checkpoint.Load(Start).Read(Checkpoint.LayerTensor(0, "self_attn.q_proj")).Data, checkpoint.Read(Checkpoint.LayerTensor(0, "self_attn.q_proj")).Data);

        // The exporter proves its graph against the logits that the adapted decoder left behind.
        var bundle = Path.Combine(_folder.Path, "bundle");
        Assert.Equal(0, await ExportCommand.Create(Console()).Parse(["--checkpoint", run.CheckpointFolder, "--out", bundle, "--weights", "fp32"]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken));
        Assert.True(ModelBundle.Load(bundle).Tokenizer.MissingTraceTokens.Count == 0);
        Assert.Contains("the trainer's logits", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("memory:", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_weights_of_a_checkpoint_can_be_trained_too()
    {
        Grow("qwen2");
        var run = Run(ScalarType.Float32);
        run = run with { Recipe = run.Recipe with { Lora = null } };

        Assert.True(run.Train(Console(), TimeProvider.System, CancellationToken.None));

        Assert.False(Directory.Exists(run.AdapterFolder));
        ArchitectureTests.AssertSame(Checkpoint.Load(run.CheckpointFolder), Decoder.Load(run.CheckpointFolder), 1e-4f);
    }

    [Fact]
    public void An_interrupted_run_ends_like_one_that_was_not_and_saves_no_frozen_weights()
    {
        Grow("qwen3");
        var options = SmallData.Plain with { Epochs = 6, BatchTokens = 512, MaxTokens = 256, RiskNoise = 0.5 };
        var lora = Lora with { Dropout = 0.2 };
        using var whole = Trainer(() => Adapted(lora), options);
        var expected = whole.Steps().ToList();
        using var state = new TemporaryFolder();
        using (var interrupted = Trainer(() => Adapted(lora), options))
        {
            foreach (var _ in interrupted.Steps().Take(expected.Count / 2)) { }
            interrupted.Save(state.Path);
        }

        using var resumed = Trainer(() => Adapted(lora), options);
        resumed.Restore(state.Path);
        var rest = resumed.Steps().ToList();

        Assert.Equal(expected.Count - expected.Count / 2, rest.Count);
        Assert.All(expected.TakeLast(rest.Count).Zip(rest), s => Assert.Equal(s.First.Loss, s.Second.Loss, 1e-4));
        Assert.InRange(new FileInfo(Path.Combine(state.Path, "decoder.bin")).Length, whole.TrainedCount * 4, whole.TrainedCount * 4 + 20_000);
        using var other = Trainer(() => Adapted(lora with { Alpha = 3 }), options);
        Assert.Throws<InvalidDataException>(() => other.Restore(state.Path));
    }

    [Fact]
    public void A_checkpoint_without_trace_tokens_and_an_adapter_without_checkpoint_are_refused()
    {
        Grow("qwen3");
        var run = Run(ScalarType.Float32);
        var source = Path.Combine(_folder.Path, "source");

        var message = Assert.Throws<InvalidDataException>(() => (run with { Start = source, Tokenizer = Path.Combine(source, Checkpoint.TokenizerFile) })
            .Train(Console(), TimeProvider.System, CancellationToken.None)).Message;
        Assert.Contains("grow", message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => (run with { Start = null }).Train(Console(), TimeProvider.System, CancellationToken.None));
        Assert.Throws<InvalidDataException>(() => (run with { Recipe = run.Recipe with { Training = run.Recipe.Training with { MaxTokens = 5000, BatchTokens = 5000 } } })
            .Train(Console(), TimeProvider.System, CancellationToken.None));
    }

    private void Grow(string like)
    {
        var source = Path.Combine(_folder.Path, "source");
        HuggingFaceFolder.Write(source, like, "BF16");
        GrownCheckpoint.Write(source, Start, seed: 1);

        // What a grown folder has beyond 16 bits is its new rows; rounded, they can be compared in either precision.
        var checkpoint = Checkpoint.Load(Start);
        SafeTensors.Write(
            Path.Combine(Start, Checkpoint.WeightsFile),
            [.. Checkpoint.TensorsOf(checkpoint.Config).Select(t => (t.Name, t.Shape, Array.ConvertAll(checkpoint.Read(t.Name).Data, Rounded)))]);

        static float Rounded(float x) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(x) & 0xffff0000);
    }

    private Decoder Adapted(LoraOptions lora, ScalarType compute = ScalarType.Float32)
    {
        var tokenizer = GuardTokenizer.Load(Path.Combine(Start, Checkpoint.TokenizerFile));
        var decoder = Decoder.Load(Start, compute);
        decoder.Adapt(Adaptation.Of(lora, tokenizer));
        return decoder;
    }

    private SftTrainer Trainer(Func<Decoder> start, SftOptions options, ScalarType compute = ScalarType.Float32)
    {
        var tokens = new TraceTokens(GuardTokenizer.Load(Path.Combine(Start, Checkpoint.TokenizerFile)), PolicyReader.Default);
        return new SftTrainer(start, tokens, [.. SmallData.Rows.Select(r => SftRow.Of(r, tokens, 128))], options, compute);
    }

    private SftRun Run(ScalarType compute)
    {
        var data = Path.Combine(_folder.Path, RowFile.Name);
        RowFile.Write(data, [.. SmallData.Rows, .. SmallData.Rows.Select(r => r with { Split = DataSplit.Dev })]);
        var recipe = new SftRecipe { Lora = Lora, Training = SmallData.Plain with { Epochs = 3, LearningRate = 1e-2, MaxTokens = 512 } };
        return new SftRun(
            data, Path.Combine(Start, Checkpoint.TokenizerFile), Path.Combine(_folder.Path, "run"), recipe, Resume: false, compute, TimeSpan.FromMinutes(5),
            DevRows: 8)
        {
            Start = Start,
        };
    }

    private IAnsiConsole Console() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(_output),
        Interactive = InteractionSupport.No,
    });
}
