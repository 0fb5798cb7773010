using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Model;
using SaferGuard.Training.Sft;
using SaferGuard.Training.Tokenizers;
using Spectre.Console;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Sft;

[Collection(nameof(Torch))]
public sealed class SftRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new();

    public void Dispose()
    {
        _folder.Dispose();
        _output.Dispose();
    }

    [Fact]
    public void A_run_ends_with_a_checkpoint_that_says_what_the_model_says()
    {
        var run = NewRun();

        Assert.True(run.Train(Console(), TimeProvider.System, CancellationToken.None));

        var decoder = Decoder.Load(run.CheckpointFolder);
        var ngrams = new WordNgrams(GuardTokenizer.Load(Path.Combine(run.CheckpointFolder, "tokenizer.json")), decoder.Config.SaferguardNgrams!);
        Assert.True(File.Exists(Path.Combine(run.CheckpointFolder, "policy.yaml")));
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.CheckpointFolder, ReferenceSequences.SequencesFile)));
        var logits = SafeTensors.Read(Path.Combine(run.CheckpointFolder, ReferenceSequences.LogitsFile));
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var count = 0;
        foreach (var sequence in reference.RootElement.GetProperty("sequences").EnumerateArray())
        {
            var tokens = Numbers(sequence, "tokens");
            var x = decoder.Embed(tensor(tokens).unsqueeze(0), tensor(ngrams.Of([.. tokens.Select(t => (int)t)]), [1, tokens.Length, ngrams.Orders]));
            var actual = decoder.Logits(decoder.Run(x)[0].index_select(0, tensor(Numbers(sequence, "rows"))));
            var expected = logits[$"logits.{count++}"];
            Assert.Equal(expected.Shape, actual.shape);
            Assert.All(expected.Data.Zip(actual.data<float>().ToArray()), p => Assert.Equal(p.First, p.Second, 1e-4f));
            Assert.Equal(Numbers(sequence, "greedy"), actual.argmax(1).data<long>().ToArray());
        }

        Assert.True(count > 0);
        static long[] Numbers(JsonElement sequence, string name) => [.. sequence.GetProperty(name).EnumerateArray().Select(n => n.GetInt64())];
    }

    [Fact]
    public void A_run_logs_every_step_and_the_dev_scores_of_every_epoch()
    {
        var run = NewRun();

        run.Train(Console(), TimeProvider.System, CancellationToken.None);

        var lines = File.ReadLines(Path.Combine(run.Output, "log.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal("start", lines[0].GetProperty("event").GetString());
        var steps = lines.Where(l => l.GetProperty("event").GetString() == "step").ToList();
        Assert.Equal(Enumerable.Range(0, steps.Count), steps.Select(s => s.GetProperty("step").GetInt32()));
        Assert.True(steps[0].GetProperty("losses").GetProperty("verdict").GetDouble() > 0);
        var dev = lines.Where(l => l.GetProperty("event").GetString() == "dev").ToList();
        Assert.Equal(2, dev.Count);
        Assert.InRange(dev[0].GetProperty("impression_auc").GetDouble(), 0, 1);
        Assert.InRange(dev[0].GetProperty("verdict_auc").GetDouble(), 0, 1);
    }

    [Fact]
    public void A_stopped_run_is_resumed_and_is_not_started_over()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var run = NewRun();

        Assert.False(run.Train(Console(), TimeProvider.System, stop.Token));
        Assert.Throws<InvalidDataException>(() => run.Train(Console(), TimeProvider.System, CancellationToken.None));
        Assert.True((run with { Resume = true }).Train(Console(), TimeProvider.System, CancellationToken.None));

        var steps = File.ReadLines(Path.Combine(run.Output, "log.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)
            .Where(l => l.GetProperty("event").GetString() == "step").Select(l => l.GetProperty("step").GetInt32()).ToList();
        Assert.Equal(Enumerable.Range(0, steps.Count), steps);
    }

    [Fact]
    public void What_does_not_exist_is_not_resumed()
    {
        var run = NewRun() with { Resume = true };

        Assert.Throws<InvalidDataException>(() => run.Train(Console(), TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public void A_recipe_lists_everything_that_is_wrong_with_it()
    {
        var path = Path.Combine(_folder.Path, "recipe.json");
        File.WriteAllText(path, """{ "training": { "epochs": 0, "word_masking": 2 } }""");
        var message = Assert.Throws<InvalidDataException>(() => SftRecipe.Read(path)).Message;
        Assert.Contains("epochs", message, StringComparison.Ordinal);
        Assert.Contains("word_masking", message, StringComparison.Ordinal);

        File.WriteAllText(path, """{ "training": { "epocs": 3 } }""");
        Assert.Contains("epocs", Assert.Throws<InvalidDataException>(() => SftRecipe.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipe_is_read_as_it_was_written()
    {
        var path = Path.Combine(_folder.Path, "recipe.json");
        var recipe = new SftRecipe
        {
            Model = new ModelSize { HiddenSize = 64, Ngrams = null },
            Training = new SftOptions { RiskNoise = 0.4, Weights = new LossWeights(Text: 0.7) },
        };

        File.WriteAllText(path, recipe.ToJson());

        Assert.Equal(recipe, SftRecipe.Read(path));
    }

    private SftRun NewRun()
    {
        var (data, tokenizer) = (Path.Combine(_folder.Path, RowFile.Name), Path.Combine(_folder.Path, "tokenizer.json"));
        RowFile.Write(data, [.. SmallData.Rows, .. SmallData.Rows.Select(r => r with { Split = DataSplit.Dev })]);
        BpeTrainer.Train(SmallData.Rows.Select(r => r.Conversation.Turns[0].Content), 420, TraceFormat.SpecialTokens).Save(tokenizer);
        var recipe = new SftRecipe
        {
            Model = new ModelSize
            {
                HiddenSize = 32,
                IntermediateSize = 48,
                Layers = 1,
                Heads = 4,
                KeyValueHeads = 2,
                MaxPositions = 256,
                Ngrams = new NgramConfig(2, 128, 8),
            },
            Training = new SftOptions { Epochs = 2, BatchTokens = 256, MaxTokens = 256 },
        };
        return new SftRun(
            data, tokenizer, Path.Combine(_folder.Path, "run"), recipe, Resume: false, ScalarType.Float32, TimeSpan.FromMinutes(5), DevRows: 100);
    }

    private IAnsiConsole Console() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(_output),
        Interactive = InteractionSupport.No,
    });
}
