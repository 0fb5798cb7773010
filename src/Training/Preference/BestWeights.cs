using System.Text.Json;
using SaferGuard.Training.Model;

namespace SaferGuard.Training.Preference;

/// <summary>How a model does between two steps.</summary>
/// <param name="Loss">Mean over the pairs that are held out.</param>
/// <param name="Auc">On dev rows: the mean of that of the first impression and that of the verdicts; null without dev rows of both kinds.</param>
internal sealed record HeldOutScores(int Step, double Loss, double? Auc);

/// <summary>
/// Keeps the weights with the lowest held-out loss among those that judge dev rows no worse than the start, and tells when to stop: a model that
/// learns its pairs by heart still gets better at them.
/// </summary>
internal sealed class BestWeights : IDisposable
{
    private const string WeightsFile = "best.bin";
    private const string StateFile = "best.json";

    private readonly ErpoOptions _options;
    private readonly Decoder _weights;
    private State? _state;

    public BestWeights(Decoder start, ErpoOptions options)
    {
        _options = options;
        _weights = start.Twin();
        _weights.eval();
    }

    public Decoder Weights => _weights;

    /// <summary>Those of the weights that are kept; null before the first evaluation.</summary>
    public HeldOutScores? Scores => _state?.Best;

    public bool IsOver => _state?.Strikes >= _options.Patience;

    /// <summary>The first is that of the start.</summary>
    public void Consider(Decoder decoder, HeldOutScores scores)
    {
        if (_state is null)
        {
            _state = new State(scores, scores, Strikes: 0);
            return;
        }

        var isAdmissible = scores.Auc is null || _state.Start.Auc is null || scores.Auc >= _state.Start.Auc - _options.AucTolerance;
        if (isAdmissible && scores.Loss < _state.Best.Loss)
        {
            Copy(decoder);
            _state = _state with { Best = scores, Strikes = 0 };
        }
        else
        {
            _state = _state with { Strikes = _state.Strikes + 1 };
        }
    }

    public void Save(string folder)
    {
        _weights.SaveTrained(Path.Combine(folder, WeightsFile));
        File.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(_state));
    }

    public void Restore(string folder)
    {
        _weights.LoadTrained(Path.Combine(folder, WeightsFile));
        _state = JsonSerializer.Deserialize<State?>(File.ReadAllText(Path.Combine(folder, StateFile)));
    }

    public void Dispose() => _weights.Dispose();

    private void Copy(Decoder decoder) => _weights.CopyTrained(decoder);

    /// <param name="Strikes">Evaluations since the best one.</param>
    private sealed record State(HeldOutScores Start, HeldOutScores Best, int Strikes);
}
