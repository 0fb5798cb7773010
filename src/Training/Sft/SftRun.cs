using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Model;
using SaferGuard.Training.Optimisation;
using SaferGuard.Training.Runs;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// One training run and its folder: <c>recipe.json</c>, <c>log.jsonl</c>, <c>state</c> (what a resumed run needs) and, at the end,
/// <c>checkpoint</c> in Hugging Face's format. With LoRA that holds the merged weights, and <c>adapter</c> the adapter alone.
/// </summary>
/// <param name="Data">Rows that <c>synthesize</c> wrote.</param>
/// <param name="Tokenizer">A <c>tokenizer.json</c>.</param>
/// <param name="DevRows">The most dev rows that are scored after each epoch.</param>
internal sealed record SftRun(
    string Data, string Tokenizer, string Output, SftRecipe Recipe, bool Resume, ScalarType Compute, TimeSpan SaveInterval, int DevRows)
{
    private const int ReferenceCount = 6;

    /// <summary>The checkpoint folder whose weights are trained on, and whose tokeniser <see cref="Tokenizer"/> is; null for a new model.</summary>
    public string? Start { get; init; }

    private string StateFolder => Path.Combine(Output, "state");

    public string CheckpointFolder => Path.Combine(Output, "checkpoint");

    public string AdapterFolder => Path.Combine(Output, "adapter");

    /// <summary>Trains to the end, or until it is stopped; then the state is saved and the result is false.</summary>
    /// <exception cref="InvalidDataException">An input is malformed, or the folder does not fit what is asked for.</exception>
    public bool Train(IAnsiConsole console, TimeProvider clock, CancellationToken stop)
    {
        var hasState = AtomicFolder.Recover(StateFolder);
        if (Resume && !hasState) throw new InvalidDataException($"{Output} holds no run to resume.");
        if (!Resume && (hasState || Directory.Exists(CheckpointFolder)))
            throw new InvalidDataException($"{Output} already holds a run. Resume it with --resume, or choose another folder.");

        var tokenizer = GuardTokenizer.Load(Tokenizer);
        if (tokenizer.MissingTraceTokens.Count > 0) throw new InvalidDataException($"{Tokenizer} has no tokens for traces. The verb grow adds them to a checkpoint.");
        var tokens = new TraceTokens(tokenizer, PolicyReader.Default);
        var maxPromptTokens = Recipe.Training.MaxTokens - tokens.MaxTraceTokens;
        if (maxPromptTokens < 1) throw new InvalidDataException($"max_tokens must be above {tokens.MaxTraceTokens}, which a trace may take.");
        var train = new List<SftRow>();
        var dev = new List<(SftRow Row, bool IsHarmful)>();
        foreach (var row in RowFile.Read(Data))
        {
            if (row.Split == DataSplit.Dev) dev.Add((SftRow.Of(row, tokens, maxPromptTokens), row.Label == Label.Harmful));
            else if (row.Weight > 0) train.Add(SftRow.Of(row, tokens, maxPromptTokens));
        }

        if (train.Count == 0) throw new InvalidDataException($"{Data} has no train rows.");
        dev = [.. Enumerable.Range(0, Math.Min(DevRows, dev.Count)).Select(i => dev[(int)((long)i * dev.Count / Math.Min(DevRows, dev.Count))])];

        var config = ConfigFor(tokenizer);
        CheckMemory(config, console);
        using var trainer = new SftTrainer(() => NewDecoder(config, tokenizer), tokens, train, Recipe.Training, Compute);
        if (Resume) trainer.Restore(StateFolder);
        Directory.CreateDirectory(Output);
        File.WriteAllText(Path.Combine(Output, "recipe.json"), Recipe.ToJson());
        console.MarkupLineInterpolated($"{train.Count} rows, {dev.Count} dev rows, {trainer.ParameterCount:N0} parameters, of which {trainer.TrainedCount:N0} are trained, {Compute}");

        using var log = new RunLog(Path.Combine(Output, "log.jsonl"), clock);
        log.Write(Resume ? "resume" : "start", new { rows = train.Count, dev_rows = dev.Count, parameters = trainer.ParameterCount, trainer.Position });
        var completed = RunProgress.Show(console, clock, show => Steps(trainer, tokens, dev, log, clock, show, console, stop));
        if (!completed) return false;
        if (Recipe.Lora is not null) AtomicFolder.Replace(AdapterFolder, folder => Adapters.AdapterFolder.Save(trainer.Best, folder, Path.GetFullPath(Start!)));
        WriteCheckpoint(trainer, tokens, train);
        return true;
    }

    private ModelConfig ConfigFor(GuardTokenizer tokenizer)
    {
        if (Start is null)
        {
            return Recipe.Lora is null
                ? Recipe.Model.Config(tokenizer.VocabularySize)
                : throw new InvalidDataException("Only a checkpoint can be adapted (--start); a new model has nothing to keep.");
        }

        var config = ModelConfig.Read(Start);
        if (config.VocabSize < tokenizer.VocabularySize)
            throw new InvalidDataException($"{Start} has {config.VocabSize} rows for the {tokenizer.VocabularySize} tokens of its tokeniser.");
        if (config.MaxPositions < Recipe.Training.MaxTokens)
            throw new InvalidDataException($"max_tokens is {Recipe.Training.MaxTokens} but the model has {config.MaxPositions} positions.");
        return config;
    }

    /// <summary>Frozen weights are kept as they are multiplied; trained ones always have 32 bits.</summary>
    private Decoder NewDecoder(ModelConfig config, GuardTokenizer tokenizer)
    {
        if (Start is null) return new Decoder(config);
        if (Recipe.Lora is not { } lora) return Decoder.Load(Start);
        var decoder = Decoder.Load(Start, Compute);
        decoder.Adapt(Adaptation.Of(lora, tokenizer));
        return decoder;
    }

    private void CheckMemory(ModelConfig config, IAnsiConsole console)
    {
        var training = Recipe.Training;
        var memory = MemoryEstimate.Of(
            config, Recipe.Lora, TraceFormat.SpecialTokens.Count, Compute, Optimiser.IsAveraged(Recipe.Lora, training), training.BatchTokens, training.MaxTokens);
        console.MarkupLineInterpolated($"{memory.Describe(training.BatchTokens)}");
        if (get_default_device().type != DeviceType.CPU) return; // torch does not say how much a GPU has
        if (memory.Check(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) is { } warning) console.MarkupLineInterpolated($"[yellow]{warning}[/]");
    }

    private bool Steps(
        SftTrainer trainer, TraceTokens tokens, List<(SftRow Row, bool IsHarmful)> dev, RunLog log, TimeProvider clock, Action<Reading> show,
        IAnsiConsole console, CancellationToken stop)
    {
        RunClock? speed = null;
        var saved = clock.GetTimestamp();
        foreach (var step in trainer.Steps())
        {
            speed ??= new RunClock(clock, step.Progress);
            var reading = speed.Read(step.Progress, step.Position.Step, step.Loss, step.Tokens, step.Duration);
            show(reading);
            log.Write("step", new
            {
                step.Position.Step,
                step.Position.Epoch,
                step.Loss,
                step.Losses,
                step.LearningRate,
                step.GradientNorm,
                step.Tokens,
                step.Shape,
                Seconds = step.Duration.TotalSeconds,
                reading.TokensPerSecond,
            });

            if (step.EndsEpoch && dev.Count > 0)
            {
                var scores = DevScores.Of(trainer.Best, tokens, trainer.Ngrams, dev, Recipe.Training.BatchTokens);
                log.Write("dev", scores);
                console.MarkupLineInterpolated(
                    $"epoch {step.Position.Epoch + 1}: dev AUC {scores.ImpressionAuc:F4} at the first impression, {scores.VerdictAuc:F4} by verdicts");
            }

            if (stop.IsCancellationRequested || step.EndsEpoch || clock.GetElapsedTime(saved) > SaveInterval)
            {
                AtomicFolder.Replace(StateFolder, trainer.Save);
                saved = clock.GetTimestamp();
            }

            if (stop.IsCancellationRequested) return false;
        }

        return true;
    }

    private void WriteCheckpoint(SftTrainer trainer, TraceTokens tokens, List<SftRow> rows) =>
        AtomicFolder.Replace(CheckpointFolder, folder =>
        {
            trainer.Best.Save(folder);
            File.Copy(Tokenizer, Path.Combine(folder, Checkpoint.TokenizerFile));
            File.WriteAllBytes(Path.Combine(folder, "policy.yaml"), PolicyReader.DefaultBytes());
            var random = new Random(Recipe.Training.Seed);
            var examples = new SftExamples(tokens, Recipe.Training with { WordMasking = 0 }, []);
            var drawn = Enumerable.Range(0, ReferenceCount).Select(_ => examples.Draw(rows[random.Next(rows.Count)], 1, random));
            ReferenceSequences.Write(folder, trainer.Best, trainer.Ngrams, drawn);
        });
}
