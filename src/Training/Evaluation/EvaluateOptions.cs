using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Evaluation;

/// <summary>What <c>evaluate</c> measures.</summary>
/// <param name="Bundle">Folder of the model bundle to judge with; null for baselines alone.</param>
/// <param name="Baselines">Trained on the data's train rows first.</param>
/// <param name="Data">JSON lines; see <see cref="LabelledRowReader"/>.</param>
/// <param name="Split">Rows of this split are judged; rows without a split always are.</param>
/// <param name="Levels">The guard judges every row once at each level.</param>
/// <param name="WithAttacks">The guard also judges every prompt under attack; see <see cref="Attacks"/>.</param>
/// <param name="Limit">The most rows to judge, spread evenly over the data.</param>
/// <param name="Resamples">Of the bootstrap; 0 for no confidence intervals.</param>
/// <param name="Seed">Of the bootstrap and of the attacks.</param>
/// <param name="Report">Folder for the report, its pictures and the predictions.</param>
/// <param name="OutOfFold">File to write the out-of-fold refuse probabilities of the train rows to.</param>
public sealed record EvaluateOptions(
    string? Bundle,
    IReadOnlyList<BaselineKind> Baselines,
    string Data,
    string Split,
    IReadOnlyList<TraceLevel> Levels,
    bool WithAttacks,
    int Concurrency,
    int? Limit,
    DecisionRule Decision,
    int Resamples,
    int Seed,
    string? Report,
    string? OutOfFold);
