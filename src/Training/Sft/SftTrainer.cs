using System.Diagnostics;
using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;
using SaferGuard.Training.Optimisation;
using SaferGuard.Training.Runs;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// Trains a decoder on rows. Everything that is random follows from the seed and the position in the run, so that a run that was saved and
/// taken up again ends like one that was not interrupted, up to the rounding of sums.
/// </summary>
internal sealed class SftTrainer : IDisposable
{
    private const string StateFile = "state.json";

    private readonly IReadOnlyList<SftRow> _rows;
    private readonly SftOptions _options;
    private readonly SftExamples _examples;
    private readonly WordNgrams? _ngrams;
    private readonly SftLoss _loss;
    private readonly Decoder _decoder;
    private readonly PooledHead _pooled;
    private readonly Optimiser _optimiser;
    private readonly IDisposable _temporaries;
    private RunPosition _position;

    /// <summary>Trains a new decoder.</summary>
    /// <param name="compute">Precision of the large products; parameters are always 32-bit floats.</param>
    public SftTrainer(ModelConfig config, TraceTokens tokens, IReadOnlyList<SftRow> rows, SftOptions options, ScalarType compute)
        : this(() => new Decoder(config), tokens, rows, options, compute)
    {
    }

    /// <summary>Trains what is trained of a decoder.</summary>
    /// <param name="start">Makes the decoder, which the trainer owns, after the seed was set.</param>
    public SftTrainer(Func<Decoder> start, TraceTokens tokens, IReadOnlyList<SftRow> rows, SftOptions options, ScalarType compute)
    {
        (_rows, _options) = (rows, options);
        _examples = new SftExamples(tokens, options, [.. rows.SelectMany(r => r.Slots).Where(s => s > 0)]);
        _loss = new SftLoss(tokens, options);
        manual_seed(options.Seed);
        _decoder = start();
        _decoder.Compute = compute;
        _ngrams = _decoder.Config.SaferguardNgrams is { } ngrams ? new WordNgrams(tokens.Tokenizer, ngrams) : null;
        _pooled = new PooledHead(_decoder.Config.HiddenSize);
        _optimiser = new Optimiser(_decoder, _pooled.parameters(), options);
        _temporaries = NativeTemporaries.Keep();
    }

    /// <inheritdoc cref="Optimiser.Best"/>
    public Decoder Best => _optimiser.Best;

    public RunPosition Position => _position;

    /// <summary>Null for models without n-gram embeddings.</summary>
    public WordNgrams? Ngrams => _ngrams;

    public long ParameterCount => _decoder.parameters().Sum(p => p.numel());

    public long TrainedCount => _decoder.Trained().Sum(p => p.Parameter.numel());

    /// <summary>Makes one step after the other. Stop between two of them, save, and go on later.</summary>
    public IEnumerable<SftStep> Steps()
    {
        while (_position.Epoch < _options.Epochs)
        {
            var batches = EpochPlan.Of(_rows, _examples, _options, _position.Epoch);
            for (var batch = _position.Batch; batch < batches.Count; batch++)
            {
                var progress = (_position.Epoch + (double)batch / batches.Count) / _options.Epochs;
                var step = Step(batches[batch], progress) with { EndsEpoch = batch == batches.Count - 1 };
                _position = step.EndsEpoch ? _position.NextEpoch() : _position.NextBatch();
                NativeTemporaries.Free();
                yield return step;
            }
        }
    }

    /// <summary>Writes everything that <see cref="Restore"/> needs.</summary>
    public void Save(string folder)
    {
        _optimiser.Save(folder);
        _pooled.save(Path.Combine(folder, "pooled.bin"));
        File.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(State));
    }

    /// <summary>Goes back to a saved state.</summary>
    /// <exception cref="InvalidDataException">The state belongs to a run with another model, other rows or other options.</exception>
    public void Restore(string folder)
    {
        var saved = JsonSerializer.Deserialize<SavedState>(File.ReadAllText(Path.Combine(folder, StateFile)))!;
        if (saved with { Position = _position } != State)
            throw new InvalidDataException("The saved run has another model, other rows or other options. Start anew in another folder.");
        _optimiser.Restore(folder);
        _pooled.load(Path.Combine(folder, "pooled.bin"));
        _position = saved.Position;
    }

    public void Dispose()
    {
        _temporaries.Dispose();
        _optimiser.Dispose();
        _decoder.Dispose();
        _pooled.Dispose();
        _loss.Dispose();
    }

    private SftStep Step(SftExample[] examples, double progress)
    {
        var start = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        manual_seed(unchecked(_options.Seed * 1_000_003L + _position.Step));
        _decoder.train();
        var batch = SftBatch.Of(examples, _ngrams);
        var (total, byQuestion) = _loss.Of(_decoder, _pooled, batch);
        var (rate, norm) = _optimiser.Step(total, progress);
        var losses = byQuestion.cpu().data<float>().ToArray();
        return new SftStep(
            _position, progress, total.item<float>(), Enum.GetValues<Question>().ToDictionary(q => q, q => (double)losses[(int)q]), rate, norm, batch.TokenCount,
            batch.Shape, Stopwatch.GetElapsedTime(start), EndsEpoch: false);
    }

    private SavedState State => new(_position, _rows.Count, _decoder.Config, _options, _decoder.Adaptation?.Lora);

    private sealed record SavedState(RunPosition Position, int Rows, ModelConfig Config, SftOptions Options, LoraOptions? Lora);
}
