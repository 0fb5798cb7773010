using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Evaluation;

/// <summary>What <c>evaluate</c> measures.</summary>
/// <param name="Bundle">Folder of the model bundle to judge with; null for baselines alone.</param>
/// <param name="Baselines">Trained on the data's train rows first.</param>
/// <param name="Data">JSON lines; see <see cref="LabelledRowReader"/>.</param>
/// <param name="Split">Rows of this split are judged; rows without a split always are.</param>
/// <param name="Levels">The guard judges every row once at each level.</param>
/// <param name="Limit">The most rows to judge, spread evenly over the data.</param>
/// <param name="Threshold">Refuse from this score on; null takes the guard's decision, and 0.5 for baselines.</param>
/// <param name="Report">File to write the reports to, as JSON.</param>
/// <param name="OutOfFold">File to write the out-of-fold refuse probabilities of the train rows to.</param>
public sealed record EvaluateOptions(
    string? Bundle,
    IReadOnlyList<BaselineKind> Baselines,
    string Data,
    string Split,
    IReadOnlyList<TraceLevel> Levels,
    int Concurrency,
    int? Limit,
    double? Threshold,
    string? Report,
    string? OutOfFold);
