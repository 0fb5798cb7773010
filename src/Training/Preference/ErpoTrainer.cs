using System.Diagnostics;
using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;
using SaferGuard.Training.Optimisation;
using SaferGuard.Training.Runs;
using SaferGuard.Training.Sft;
using static TorchSharp.torch;

namespace SaferGuard.Training.Preference;

/// <summary>What one step of training did.</summary>
/// <param name="Metrics">Those of <see cref="RewardMetrics"/>, means over the batch.</param>
/// <param name="EndsStretch">An evaluation is due.</param>
internal sealed record ErpoStep(
    RunPosition Position,
    double Progress,
    double Loss,
    IReadOnlyDictionary<string, double> Metrics,
    double LearningRate,
    double GradientNorm,
    int Tokens,
    TimeSpan Duration,
    bool EndsStretch);

/// <summary>Trains a decoder on pairs. As in <see cref="SftTrainer"/>, everything follows from the seed and the position.</summary>
internal sealed class ErpoTrainer : IDisposable
{
    private const string StateFile = "state.json";

    private readonly IReadOnlyList<StepPair> _pairs;
    private readonly ErpoOptions _options;
    private readonly StepLoss _loss;
    private readonly Decoder _decoder;
    private readonly Optimiser _optimiser;
    private readonly IDisposable _temporaries;
    private RunPosition _position;

    /// <param name="decoder">The model that the references were computed with; the trainer owns it and changes it.</param>
    /// <param name="pairs">All with references.</param>
    public ErpoTrainer(Decoder decoder, TraceTokens tokens, IReadOnlyList<StepPair> pairs, ErpoOptions options)
    {
        (_decoder, _pairs, _options) = (decoder, pairs, options);
        Ngrams = decoder.Config.SaferguardNgrams is { } ngrams ? new WordNgrams(tokens.Tokenizer, ngrams) : null;
        _loss = new StepLoss(tokens, options);
        Best = new BestWeights(decoder, options);
        _optimiser = new Optimiser(decoder, [], options);
        _temporaries = NativeTemporaries.Keep();
    }

    /// <summary>The weights as they are, or their average once there is one.</summary>
    public Decoder Latest => _optimiser.Best;

    public BestWeights Best { get; }

    public RunPosition Position => _position;

    /// <summary>Null for models without n-gram embeddings.</summary>
    public WordNgrams? Ngrams { get; }

    /// <summary>Makes one step after the other. Stop between two of them, save, and go on later.</summary>
    public IEnumerable<ErpoStep> Steps()
    {
        while (_position.Epoch < _options.Epochs)
        {
            var random = new Random(unchecked(_options.Seed * 1_000_003 + _position.Epoch));
            var batches = Packing.Shuffled(_pairs, p => p.Length, _options.BatchTokens, random);
            for (var batch = _position.Batch; batch < batches.Count; batch++)
            {
                var progress = (_position.Epoch + (double)batch / batches.Count) / _options.Epochs;
                var stretches = _options.EvaluationsPerEpoch;
                var ends = (batch + 1) * stretches / batches.Count > batch * stretches / batches.Count;
                var step = Step(batches[batch], progress) with { EndsStretch = ends };
                _position = batch == batches.Count - 1 ? _position.NextEpoch() : _position.NextBatch();
                NativeTemporaries.Free();
                yield return step;
            }
        }
    }

    /// <summary>Mean loss and metrics over pairs that are not trained on.</summary>
    public (double Loss, IReadOnlyDictionary<string, double> Metrics) Measure(IReadOnlyList<StepPair> pairs)
    {
        using var _ = no_grad();
        var (loss, metrics) = (0.0, new Dictionary<string, double>());
        foreach (var batch in Packing.Pack(pairs.OrderBy(p => p.Length), p => p.Length, _options.BatchTokens))
        {
            using var scope = NewDisposeScope();
            var (total, means) = _loss.Of(Latest, batch, Ngrams);
            var share = (double)batch.Length / pairs.Count;
            loss += total.item<float>() * share;
            foreach (var (name, mean) in means) metrics[name] = metrics.GetValueOrDefault(name) + mean.item<float>() * share;
        }

        return (loss, metrics);
    }

    /// <summary>Writes everything that <see cref="Restore"/> needs.</summary>
    public void Save(string folder)
    {
        _optimiser.Save(folder);
        Best.Save(folder);
        File.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(State));
    }

    /// <summary>Goes back to a saved state.</summary>
    /// <exception cref="InvalidDataException">The state belongs to a run with another model, other pairs or other options.</exception>
    public void Restore(string folder)
    {
        var saved = JsonSerializer.Deserialize<SavedState>(File.ReadAllText(Path.Combine(folder, StateFile)))!;
        if (saved with { Position = _position } != State)
            throw new InvalidDataException("The saved run has another model, other pairs or other options. Start anew in another folder.");
        _optimiser.Restore(folder);
        Best.Restore(folder);
        _position = saved.Position;
    }

    public void Dispose()
    {
        _temporaries.Dispose();
        _optimiser.Dispose();
        Best.Dispose();
        _loss.Dispose();
        _decoder.Dispose();
    }

    private ErpoStep Step(StepPair[] pairs, double progress)
    {
        var start = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        manual_seed(unchecked(_options.Seed * 1_000_003L + _position.Step));
        _decoder.train();
        var (total, metrics) = _loss.Of(_decoder, pairs, Ngrams);
        var (rate, norm) = _optimiser.Step(total, progress);
        return new ErpoStep(
            _position, progress, total.item<float>(), metrics.ToDictionary(m => m.Key, m => (double)m.Value.item<float>()), rate, norm,
            pairs.Sum(p => p.Chosen.Tokens.Length + p.Rejected.Tokens.Length), Stopwatch.GetElapsedTime(start), EndsStretch: false);
    }

    private SavedState State => new(_position, _pairs.Count, _decoder.Config, _options);

    private sealed record SavedState(RunPosition Position, int Pairs, ModelConfig Config, ErpoOptions Options);
}
