namespace SaferGuard.Training.Sft;

/// <summary>The next step of a run: the epoch, the batch in it, and how many steps were made before.</summary>
internal readonly record struct RunPosition(int Epoch, int Batch, int Step)
{
    public RunPosition NextBatch() => new(Epoch, Batch + 1, Step + 1);

    public RunPosition NextEpoch() => new(Epoch + 1, 0, Step + 1);
}

/// <summary>What one step of training did.</summary>
/// <param name="Progress">Share of the run that is done, from 0 to 1.</param>
/// <param name="Losses">Mean loss of each question over the batch.</param>
/// <param name="Tokens">Tokens of the batch, without padding.</param>
/// <param name="Shape">Sequences, their padded length, choices asked, text tokens asked.</param>
internal sealed record SftStep(
    RunPosition Position,
    double Progress,
    double Loss,
    IReadOnlyDictionary<Question, double> Losses,
    double LearningRate,
    double GradientNorm,
    int Tokens,
    IReadOnlyList<int> Shape,
    TimeSpan Duration,
    bool EndsEpoch);
