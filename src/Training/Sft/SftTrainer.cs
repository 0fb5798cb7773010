using System.Diagnostics;
using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;
using TorchSharp.Modules;
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
    private readonly Decoder _average;
    private readonly PooledHead _pooled;
    private readonly AdamW.ParamGroup _table;
    private readonly AdamW _optimizer;
    private RunPosition _position;
    private int _averaged;

    /// <param name="compute">Precision of the large products; parameters are always 32-bit floats.</param>
    public SftTrainer(ModelConfig config, TraceTokens tokens, IReadOnlyList<SftRow> rows, SftOptions options, ScalarType compute)
    {
        (_rows, _options) = (rows, options);
        _examples = new SftExamples(tokens, options, [.. rows.SelectMany(r => r.Slots).Where(s => s > 0)]);
        _ngrams = config.SaferguardNgrams is { } ngrams ? new WordNgrams(tokens.Tokenizer, ngrams) : null;
        _loss = new SftLoss(tokens, options);
        manual_seed(options.Seed);
        _decoder = new Decoder(config) { Compute = compute };
        _pooled = new PooledHead(config.HiddenSize);
        _average = new Decoder(config) { Compute = compute };
        _average.eval();

        var parameters = _decoder.parameters().Concat(_pooled.parameters()).Where(p => !ReferenceEquals(p, _decoder.NgramTable)).ToLookup(p => p.dim() > 1);
        _table = Group(_decoder.NgramTable is { } table ? [table] : [], options.WeightDecay);
        _optimizer = optim.AdamW([Group(parameters[true], options.WeightDecay), Group(parameters[false], decay: 0), _table]);
    }

    /// <summary>The weights to use: the average once there is one.</summary>
    public Decoder Best => _averaged > 0 ? _average : _decoder;

    public RunPosition Position => _position;

    /// <summary>Null for models without n-gram embeddings.</summary>
    public WordNgrams? Ngrams => _ngrams;

    public long ParameterCount => _decoder.parameters().Sum(p => p.numel());

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
                yield return step;
            }
        }
    }

    /// <summary>Writes everything that <see cref="Restore"/> needs.</summary>
    public void Save(string folder)
    {
        _decoder.save(Path.Combine(folder, "decoder.bin"));
        _average.save(Path.Combine(folder, "average.bin"));
        _pooled.save(Path.Combine(folder, "pooled.bin"));
        _optimizer.save_state_dict(Path.Combine(folder, "optimizer.bin"));
        File.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(State));
    }

    /// <summary>Goes back to a saved state.</summary>
    /// <exception cref="InvalidDataException">The state belongs to a run with another model, other rows or other options.</exception>
    public void Restore(string folder)
    {
        var saved = JsonSerializer.Deserialize<SavedState>(File.ReadAllText(Path.Combine(folder, StateFile)))!;
        if (saved with { Position = _position, Averaged = _averaged } != State)
            throw new InvalidDataException("The saved run has another model, other rows or other options. Start anew in another folder.");
        _decoder.load(Path.Combine(folder, "decoder.bin"));
        _average.load(Path.Combine(folder, "average.bin"));
        _pooled.load(Path.Combine(folder, "pooled.bin"));
        _optimizer.load_state_dict(Path.Combine(folder, "optimizer.bin"));
        (_position, _averaged) = (saved.Position, saved.Averaged);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _decoder.Dispose();
        _average.Dispose();
        _pooled.Dispose();
        _loss.Dispose();
    }

    private SftStep Step(SftExample[] examples, double progress)
    {
        var start = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        manual_seed(unchecked(_options.Seed * 1_000_003L + _position.Step));
        _decoder.train();
        var rate = LearningRates.At(progress, _options);
        foreach (var group in _optimizer.ParamGroups)
            group.LearningRate = rate * (ReferenceEquals(group, _table) ? _options.NgramRate : 1);

        var batch = SftBatch.Of(examples, _ngrams);
        var (total, byQuestion) = _loss.Of(_decoder, _pooled, batch);
        _optimizer.zero_grad();
        total.backward();
        var norm = nn.utils.clip_grad_norm_(_optimizer.parameters(), _options.MaxGradientNorm);
        var loss = total.item<float>();
        if (!float.IsFinite(loss) || !double.IsFinite(norm))
            throw new ArithmeticException($"The loss is no longer finite at step {_position.Step}. Lower the learning rate.");
        _optimizer.step();
        if (progress >= 1 - _options.AveragedShare) Average();

        var losses = byQuestion.data<float>().ToArray();
        return new SftStep(
            _position, progress, loss, Enum.GetValues<Question>().ToDictionary(q => q, q => (double)losses[(int)q]), rate, norm, batch.TokenCount,
            Stopwatch.GetElapsedTime(start), EndsEpoch: false);
    }

    /// <summary>Moves the average towards the weights, so that it is the mean of all that it was given.</summary>
    private void Average()
    {
        using var _ = no_grad();
        _averaged++;
        foreach (var (mean, weight) in _average.parameters().Zip(_decoder.parameters())) mean.lerp_(weight, 1.0 / _averaged);
    }

    private AdamW.ParamGroup Group(IEnumerable<Parameter> parameters, double decay) =>
        new(parameters, new AdamW.Options { LearningRate = _options.LearningRate, InitialLearningRate = _options.LearningRate, beta1 = 0.9, beta2 = 0.98, eps = 1e-8, weight_decay = decay });

    private SavedState State => new(_position, _averaged, _rows.Count, _decoder.Config, _options);

    /// <param name="Averaged">Steps in the average.</param>
    private sealed record SavedState(RunPosition Position, int Averaged, int Rows, ModelConfig Config, SftOptions Options);
}
