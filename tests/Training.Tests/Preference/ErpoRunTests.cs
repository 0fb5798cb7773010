using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Data;
using SaferGuard.Training.Model;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;
using Spectre.Console;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Preference;

/// <summary>An iteration with the roll-outs of the bundled model, and a tiny one that is trained on them.</summary>
[Collection(nameof(Torch))]
public sealed class ErpoRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new();

    public void Dispose()
    {
        _folder.Dispose();
        _output.Dispose();
    }

    [Fact]
    public async Task An_iteration_gives_roll_outs_pairs_and_a_checkpoint()
    {
        var run = NewRun();

        Assert.True(await run.TrainAsync(Console(), TimeProvider.System, CancellationToken.None));

        var files = Directory.GetFiles(run.CheckpointFolder).Select(Path.GetFileName);
        Assert.Superset(new HashSet<string?> { "config.json", "model.safetensors", "tokenizer.json", "policy.yaml", "reference.json" }, files.ToHashSet());
        Assert.DoesNotContain("calibration.json", files);
        using var trained = Decoder.Load(run.CheckpointFolder);
        Assert.Equal(SmallData.Rows.Count, File.ReadLines(Path.Combine(run.Output, "rollouts.jsonl")).Count());
        Assert.All(File.ReadLines(run.PairsPath), l => Assert.Contains("\"reference\":{\"chosen\":-", l, StringComparison.Ordinal));

        var lines = File.ReadLines(Path.Combine(run.Output, "log.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToLookup(l => l.GetProperty("event").GetString());
        Assert.NotEmpty(lines["pairs"]);
        string[] metrics = ["rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected", "nll_loss"];
        Assert.All(lines["step"], l => Assert.All(metrics, m => Assert.True(l.GetProperty("metrics").TryGetProperty(m, out _), m)));
        Assert.InRange(lines["evaluation"].First().GetProperty("impression_auc").GetDouble(), 0, 1);
    }

    [Fact]
    public async Task An_iteration_that_was_stopped_while_sampling_goes_on()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var run = NewRun();

        Assert.False(await run.TrainAsync(Console(), TimeProvider.System, stop.Token));
        Assert.False(File.Exists(run.PairsPath));
        await Assert.ThrowsAsync<InvalidDataException>(() => run.TrainAsync(Console(), TimeProvider.System, CancellationToken.None));
        Assert.True(await (run with { Resume = true }).TrainAsync(Console(), TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task An_iteration_that_was_stopped_while_training_ends_like_one_that_was_not()
    {
        var whole = NewRun();
        Assert.True(await whole.TrainAsync(Console(), TimeProvider.System, CancellationToken.None));

        // The same pairs, stopped after the first step.
        var stopped = whole with { Output = Path.Combine(_folder.Path, "stopped"), Resume = true };
        Directory.CreateDirectory(stopped.Output);
        File.Copy(whole.PairsPath, stopped.PairsPath);
        File.WriteAllText(Path.Combine(stopped.Output, "recipe.json"), stopped.Recipe.ToJson());
        using var stop = new CancellationTokenSource();
        Assert.False(await stopped.TrainAsync(Console(), new Stopping(stop), stop.Token));
        Assert.False(Directory.Exists(stopped.CheckpointFolder));
        Assert.True(await stopped.TrainAsync(Console(), TimeProvider.System, CancellationToken.None));

        Assert.Equal(Weights(whole), Weights(stopped));
        static byte[] Weights(ErpoRun run) => File.ReadAllBytes(Path.Combine(run.CheckpointFolder, "model.safetensors"));
    }

    [Fact]
    public async Task A_bundle_of_another_tokeniser_is_refused()
    {
        var run = NewRun();
        File.AppendAllText(Path.Combine(run.Checkpoint, "tokenizer.json"), " ");

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => run.TrainAsync(Console(), TimeProvider.System, CancellationToken.None));
        Assert.Contains("no export of the checkpoint", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipe_lists_everything_that_is_wrong_with_it()
    {
        var path = Path.Combine(_folder.Path, "recipe.json");
        File.WriteAllText(path, """{ "roll_outs": { "traces": 1 }, "pairs": { "agreement": 2 }, "training": { "beta": 0, "epochs": 0 } }""");

        var message = Assert.Throws<InvalidDataException>(() => ErpoRecipe.Read(path)).Message;

        Assert.All("traces agreement beta epochs".Split(' '), name => Assert.Contains(name, message, StringComparison.Ordinal));
    }

    private ErpoRun NewRun()
    {
        var (data, checkpoint) = (Path.Combine(_folder.Path, RowFile.Name), Path.Combine(_folder.Path, "tiny"));
        RowFile.Write(data, [.. SmallData.Rows, .. SmallData.Rows.Select(r => r with { Split = DataSplit.Dev })]);
        Directory.CreateDirectory(checkpoint);
        foreach (var file in new[] { "tokenizer.json", "policy.yaml" }) File.Copy(Path.Combine(TestData.BundleFolder, file), Path.Combine(checkpoint, file));
        File.WriteAllText(Path.Combine(checkpoint, "calibration.json"), "that of the weights before");
        manual_seed(1);
        using var decoder = new Decoder(SmallData.Config with
        {
            VocabSize = GuardTokenizer.Load(Path.Combine(checkpoint, "tokenizer.json")).VocabularySize,
            SaferguardNgrams = new NgramConfig(2, 128, 8),
        });
        decoder.Save(checkpoint);
        var recipe = new ErpoRecipe
        {
            RollOuts = new RollOutOptions { Traces = 6, Temperature = 1.5 },
            Pairs = new PairOptions { HeldOutShare = 0.4 },
            Training = new ErpoOptions { Epochs = 2, MaxTokens = 256, BatchTokens = 512, LearningRate = 1e-3 },
        };
        return new ErpoRun(
            data, checkpoint, TestData.BundleFolder, Path.Combine(_folder.Path, "run"), recipe, Resume: false, Threads: 1, TimeSpan.FromMinutes(5), DevRows: 100);
    }

    private IAnsiConsole Console() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(_output),
        Interactive = InteractionSupport.No,
    });

    /// <summary>Stops the run as soon as training looks at the clock.</summary>
    private sealed class Stopping(CancellationTokenSource stop) : TimeProvider
    {
        public override long GetTimestamp()
        {
            stop.Cancel();
            return base.GetTimestamp();
        }
    }
}
