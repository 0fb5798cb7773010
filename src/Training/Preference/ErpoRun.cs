using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Data;
using SaferGuard.Training.Model;
using SaferGuard.Training.Optimisation;
using SaferGuard.Training.Runs;
using SaferGuard.Training.Sft;
using Spectre.Console;
using static TorchSharp.torch;

namespace SaferGuard.Training.Preference;

/// <summary>
/// One iteration of preference optimisation and its folder: <c>recipe.json</c>, <c>log.jsonl</c>, <c>rollouts.jsonl</c> (what the model says),
/// <c>pairs.jsonl</c> (what it should rather say), <c>state</c> and, at the end, <c>checkpoint</c>. Each part goes on where it was interrupted.
/// The next iteration needs an export of that checkpoint, since roll-outs come from the engine that serves.
/// </summary>
/// <param name="Data">Rows that <c>synthesize</c> wrote.</param>
/// <param name="Checkpoint">The model to train, and the reference that it is held to.</param>
/// <param name="Bundle">The export of that checkpoint.</param>
/// <param name="DevRows">The most dev rows that are scored at each evaluation.</param>
internal sealed record ErpoRun(
    string Data, string Checkpoint, string Bundle, string Output, ErpoRecipe Recipe, bool Resume, int Threads, TimeSpan SaveInterval, int DevRows)
{
    private const int Concurrency = 32;

    private const int ReferenceCount = 12;

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    public string PairsPath => Path.Combine(Output, "pairs.jsonl");

    public string CheckpointFolder => Path.Combine(Output, "checkpoint");

    private string StateFolder => Path.Combine(Output, "state");

    private string RecipePath => Path.Combine(Output, "recipe.json");

    /// <summary>Samples, pairs and trains to the end, or until it is stopped; then what there is has been saved and the result is false.</summary>
    /// <exception cref="InvalidDataException">An input is malformed, or the folder does not fit what is asked for.</exception>
    public async Task<bool> TrainAsync(IAnsiConsole console, TimeProvider clock, CancellationToken stop)
    {
        RequireFolder();
        foreach (var file in new[] { BundleManifest.TokenizerFile, BundleManifest.PolicyFile }) RequireSame(file);
        var bundle = ModelBundle.Load(Bundle);
        bundle.RequireTraceTokens();
        var tokens = new TraceTokens(bundle.Tokenizer, bundle.Policy, bundle.Manifest.ReadsRuleText);
        var data = new ErpoData(Data, tokens, Recipe.Training.MaxTokens, DevRows);
        Directory.CreateDirectory(Output);
        File.WriteAllText(RecipePath, Recipe.ToJson());

        using var log = new RunLog(Path.Combine(Output, "log.jsonl"), clock);
        log.Write(Resume ? "resume" : "start", new { rows = data.Train.Count, dev_rows = data.Dev.Count });
        try
        {
            if (!File.Exists(PairsPath)) await MakePairsAsync(bundle, data, tokens, console, clock, log, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }

        return Optimise(data, tokens, console, clock, log, stop);
    }

    private void RequireFolder()
    {
        var isRun = File.Exists(RecipePath);
        if (Resume && !isRun) throw new InvalidDataException($"{Output} holds no run to resume.");
        if (!Resume && isRun) throw new InvalidDataException($"{Output} already holds a run. Resume it with --resume, or choose another folder.");
        if (isRun && File.ReadAllText(RecipePath) != Recipe.ToJson())
            throw new InvalidDataException($"{Output} was begun with another recipe. Start anew in another folder.");
    }

    private void RequireSame(string file)
    {
        var (ours, served) = (Path.Combine(Checkpoint, file), Path.Combine(Bundle, file));
        if (!File.ReadAllBytes(ours).AsSpan().SequenceEqual(File.ReadAllBytes(served)))
            throw new InvalidDataException($"{ours} and {served} differ: the bundle is no export of the checkpoint.");
    }

    private async Task MakePairsAsync(
        ModelBundle bundle, ErpoData data, TraceTokens tokens, IAnsiConsole console, TimeProvider clock, RunLog log, CancellationToken stop)
    {
        var rows = data.Draw(Recipe.RollOuts);
        await using var rollOuts = new RollOuts(bundle, tokens, Threads);
        using var file = new RollOutFile(Path.Combine(Output, "rollouts.jsonl"));
        await RollOutAsync(rollOuts, [.. rows.Where(r => !file.Samples.ContainsKey(r.Id))], file, console, clock, stop);

        var maker = new PairMaker(tokens, new SentenceJudge(data.Train, Recipe.Pairs.Agreement), Recipe.Pairs);
        List<PreferencePair> pairs = [.. rows.SelectMany(r => maker.Of(r, file.Samples[r.Id].Traces))];
        if (pairs.Count == 0) throw new InvalidDataException("The traces gave no pairs: nothing is faulty, or nothing can be told apart.");
        PairFile.Write(PairsPath, AddReferences(pairs, data, tokens));
        foreach (var kind in pairs.CountBy(p => (p.Step, p.Winner)).OrderBy(k => k.Key))
        {
            log.Write("pairs", new { kind.Key.Step, kind.Key.Winner, count = kind.Value });
            console.MarkupLineInterpolated($"{kind.Value,6} pairs: {kind.Key.Step}, won by the {kind.Key.Winner}");
        }
    }

    private async Task RollOutAsync(
        RollOuts rollOuts, IReadOnlyList<GoldRow> rows, RollOutFile file, IAnsiConsole console, TimeProvider clock, CancellationToken stop)
    {
        var (done, last) = (0, clock.GetTimestamp());
        await Parallel.ForEachAsync(rows, new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = stop }, async (row, token) =>
        {
            file.Add(await rollOuts.SampleAsync(row, Recipe.RollOuts, token));
            var count = Interlocked.Increment(ref done);
            if (count < rows.Count && clock.GetElapsedTime(Volatile.Read(ref last)) < LineInterval) return;
            Volatile.Write(ref last, clock.GetTimestamp());
            console.MarkupLineInterpolated($"sampled {count} of {rows.Count} prompts");
        });
    }

    /// <summary>What the checkpoint says of both sides, computed once: training then needs no second model.</summary>
    private List<PreferencePair> AddReferences(List<PreferencePair> pairs, ErpoData data, TraceTokens tokens)
    {
        using var temporaries = NativeTemporaries.Keep();
        using var decoder = Decoder.Load(Checkpoint);
        decoder.eval();
        using var loss = new StepLoss(tokens, Recipe.Training);
        var ngrams = decoder.Config.SaferguardNgrams is { } config ? new WordNgrams(tokens.Tokenizer, config) : null;
        var prepared = Prepare(pairs, data, tokens);
        var indexes = Enumerable.Range(0, pairs.Count).OrderBy(i => prepared[i].Length);
        foreach (var batch in Packing.Pack(indexes, i => prepared[i].Length, Recipe.Training.BatchTokens))
        {
            var logs = loss.LogProbabilities(decoder, [.. batch.Select(i => prepared[i])], ngrams);
            for (var i = 0; i < batch.Length; i++) pairs[batch[i]] = pairs[batch[i]] with { Reference = logs[i] };
        }

        return pairs;
    }

    private static List<StepPair> Prepare(IReadOnlyList<PreferencePair> pairs, ErpoData data, TraceTokens tokens)
    {
        var rows = pairs.Select(p => p.Row).Distinct().ToDictionary(id => id, id => data.Gold(id).Tokens);
        return [.. pairs.Select(p => StepPair.Of(p, rows[p.Row], tokens))];
    }

    private bool Optimise(ErpoData data, TraceTokens tokens, IAnsiConsole console, TimeProvider clock, RunLog log, CancellationToken stop)
    {
        var pairs = PairFile.Read(PairsPath, tokens, data.Has);
        if (pairs.Exists(p => p.Reference is null)) throw new InvalidDataException($"{PairsPath} has pairs without reference.");
        var isHeldOut = pairs.Select(p => p.Row).Distinct()
            .ToDictionary(id => id, id => new Draw(Recipe.RollOuts.Seed, $"held out {id}").Chance(Recipe.Pairs.HeldOutShare));
        var train = Prepare(pairs.FindAll(p => !isHeldOut[p.Row]), data, tokens);
        var heldOut = Prepare(pairs.FindAll(p => isHeldOut[p.Row]), data, tokens);
        if (train.Count == 0 || heldOut.Count == 0) throw new InvalidDataException($"{PairsPath} has too few pairs: {train.Count} to train on, {heldOut.Count} to stop by.");

        using var trainer = new ErpoTrainer(LoadDecoder(tokens), tokens, train, Recipe.Training);
        if (AtomicFolder.Recover(StateFolder)) trainer.Restore(StateFolder);
        console.MarkupLineInterpolated($"{train.Count} pairs, {heldOut.Count} held out, {data.Dev.Count} dev rows");
        var completed = RunProgress.Show(console, clock, show => Steps(trainer, heldOut, data, tokens, console, clock, log, show, stop));
        if (!completed) return false;
        log.Write("end", trainer.Best.Scores!);
        console.MarkupLineInterpolated($"Kept the weights after {trainer.Best.Scores!.Step} steps.");
        WriteCheckpoint(trainer, train);
        return true;
    }

    private Decoder LoadDecoder(TraceTokens tokens)
    {
        var decoder = Decoder.Load(Checkpoint);
        if (Recipe.Lora is not { } lora) return decoder;
        manual_seed(Recipe.Training.Seed);
        decoder.Adapt(Adaptation.Of(lora, tokens.Tokenizer));
        return decoder;
    }

    private bool Steps(
        ErpoTrainer trainer, List<StepPair> heldOut, ErpoData data, TraceTokens tokens, IAnsiConsole console, TimeProvider clock, RunLog log,
        Action<Reading> show, CancellationToken stop)
    {
        RunClock? speed = null;
        var saved = clock.GetTimestamp();
        if (trainer.Best.Scores is null) Evaluate();
        if (trainer.Best.IsOver) return true;
        foreach (var step in trainer.Steps())
        {
            speed ??= new RunClock(clock, step.Progress);
            show(speed.Read(step.Progress, step.Position.Step, step.Loss, step.Tokens, step.Duration));
            log.Write("step", new { step.Position.Step, step.Position.Epoch, step.Loss, step.Metrics, step.LearningRate, step.GradientNorm, step.Tokens });
            if (step.EndsStretch) Evaluate();
            if (stop.IsCancellationRequested || step.EndsStretch || clock.GetElapsedTime(saved) > SaveInterval)
            {
                AtomicFolder.Replace(StateFolder, trainer.Save);
                saved = clock.GetTimestamp();
            }

            if (trainer.Best.IsOver) return true;
            if (stop.IsCancellationRequested) return false;
        }

        return true;

        void Evaluate()
        {
            var (loss, metrics) = trainer.Measure(heldOut);
            var dev = DevScores.Of(trainer.Latest, tokens, trainer.Ngrams, data.Dev, Recipe.Training.BatchTokens);
            trainer.Best.Consider(trainer.Latest, new HeldOutScores(trainer.Position.Step, loss, (dev.ImpressionAuc + dev.VerdictAuc) / 2));
            log.Write("evaluation", new { trainer.Position.Step, loss, metrics, dev.ImpressionAuc, dev.VerdictAuc });
            console.MarkupLineInterpolated(
                $"step {trainer.Position.Step}: held-out loss {loss:F4}, rewards/accuracies {metrics[RewardMetrics.Accuracies]:F3}, dev AUC {dev.ImpressionAuc:F4} at the first impression, {dev.VerdictAuc:F4} by verdicts");
        }
    }

    /// <summary>What belongs to the weights before, their calibration too, is not kept.</summary>
    private void WriteCheckpoint(ErpoTrainer trainer, List<StepPair> pairs) =>
        AtomicFolder.Replace(CheckpointFolder, folder =>
        {
            foreach (var file in Directory.GetFiles(Checkpoint).Where(f => !IsOfWeights(Path.GetFileName(f))))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            trainer.Best.Weights.Save(folder);
            ReferenceSequences.Write(folder, trainer.Best.Weights, trainer.Ngrams, Enumerable.Range(0, ReferenceCount).Select(i => pairs[i * pairs.Count / ReferenceCount].Chosen));
        });

    private static bool IsOfWeights(string file) => file is BundleManifest.CalibrationFile
        or ReferenceSequences.SequencesFile or ReferenceSequences.LogitsFile || file.StartsWith("model", StringComparison.Ordinal);
}
