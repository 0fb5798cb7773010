using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Data;

/// <summary>What the source says of a row. Borderline-safe rows sound harmful and should be answered.</summary>
public enum Label
{
    Benign,
    BorderlineSafe,
    Harmful,
}

/// <summary>
/// One judged conversation: a line of the JSON-lines files that <c>synthesize</c> writes and <c>sft</c> and <c>evaluate</c> read.
/// </summary>
/// <param name="Source">The data set, for leave-one-source-out splits.</param>
/// <param name="Split">"train", "dev" or "calibration" (see <see cref="DataSplit"/>).</param>
/// <param name="Weight">Weight of the row in the loss; below 1 where the label is doubtful.</param>
/// <param name="Lang">ISO 639-1 code.</param>
/// <param name="Trace">The gold trace. Intent, strategy and evidence are null where the teacher has no words of its own.</param>
public sealed record TrainingRow(
    string Id, string Source, string Split, Label Label, double Weight, string Lang, Conversation Conversation, Trace Trace);
