using SaferGuard.Training.Model;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Optimisation;

/// <summary>
/// AdamW over what is trained of a decoder and beside it: one step for a loss, along the schedule of the options, with an average of the weights
/// over the end of the run. Adapters are not averaged: a product of means is not the mean of products. Owns the average, not the decoder.
/// </summary>
internal sealed class Optimiser : IDisposable
{
    private readonly Decoder _decoder;
    private readonly Decoder? _average;
    private readonly TrainingOptions _options;
    private readonly AdamW.ParamGroup _table;
    private readonly AdamW _optimizer;
    private int _averaged;

    /// <param name="beside">Parameters that are trained with the decoder's.</param>
    public Optimiser(Decoder decoder, IEnumerable<Parameter> beside, TrainingOptions options)
    {
        (_decoder, _options) = (decoder, options);
        if (IsAveraged(decoder.Adaptation?.Lora, options))
        {
            _average = decoder.Twin();
            _average.eval();
        }

        var parameters = decoder.Trained().Select(p => p.Parameter).Concat(beside).Where(p => !ReferenceEquals(p, decoder.NgramTable)).ToLookup(p => p.dim() > 1);
        _table = Group(decoder.NgramTable is { requires_grad: true } table ? [table] : [], options.WeightDecay);
        _optimizer = optim.AdamW([Group(parameters[true], options.WeightDecay), Group(parameters[false], decay: 0), _table]);
    }

    /// <summary>The weights to use: the average once there is one.</summary>
    public Decoder Best => _averaged > 0 ? _average! : _decoder;

    /// <summary>Whether a run keeps a second set of weights.</summary>
    public static bool IsAveraged(LoraOptions? lora, TrainingOptions options) => lora is null && options.AveragedShare > 0;

    /// <returns>The learning rate, and the norm of the gradient before it was bounded.</returns>
    /// <exception cref="ArithmeticException">Loss or gradient is not finite; nothing was changed.</exception>
    public (double LearningRate, double GradientNorm) Step(Tensor loss, double progress)
    {
        var rate = LearningRates.At(progress, _options);
        foreach (var group in _optimizer.ParamGroups)
            group.LearningRate = rate * (ReferenceEquals(group, _table) ? _options.NgramRate : 1);
        _optimizer.zero_grad();
        loss.backward();
        var norm = nn.utils.clip_grad_norm_(_optimizer.parameters(), _options.MaxGradientNorm);
        if (!float.IsFinite(loss.item<float>()) || !double.IsFinite(norm)) throw new ArithmeticException("The loss is no longer finite. Lower the learning rate.");
        _optimizer.step();
        if (_average is not null && progress >= 1 - _options.AveragedShare) Average(_average);
        return (rate, norm);
    }

    /// <summary>Writes what is trained of the weights, their average and the optimiser's state.</summary>
    public void Save(string folder)
    {
        _decoder.SaveTrained(Path.Combine(folder, "decoder.bin"));
        _average?.save(Path.Combine(folder, "average.bin"));
        _optimizer.save_state_dict(Path.Combine(folder, "optimizer.bin"));
        File.WriteAllText(Path.Combine(folder, "averaged"), $"{_averaged}");
    }

    /// <summary>Goes back to what <see cref="Save"/> wrote.</summary>
    public void Restore(string folder)
    {
        _decoder.LoadTrained(Path.Combine(folder, "decoder.bin"));
        _average?.load(Path.Combine(folder, "average.bin"));
        _optimizer.load_state_dict(Path.Combine(folder, "optimizer.bin"));
        _averaged = int.Parse(File.ReadAllText(Path.Combine(folder, "averaged")));
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _average?.Dispose();
    }

    /// <summary>Moves the average towards the weights, so that it is the mean of all that it was given.</summary>
    private void Average(Decoder average)
    {
        using var _ = no_grad();
        _averaged++;
        foreach (var (mean, weight) in average.parameters().Zip(_decoder.parameters())) mean.lerp_(weight, 1.0 / _averaged);
    }

    private AdamW.ParamGroup Group(IEnumerable<Parameter> parameters, double decay) =>
        new(parameters, new AdamW.Options { LearningRate = _options.LearningRate, InitialLearningRate = _options.LearningRate, beta1 = 0.9, beta2 = 0.98, eps = 1e-8, weight_decay = decay });
}
