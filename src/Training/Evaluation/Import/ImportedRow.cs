using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation.Import;

/// <summary>A row of a published set as <see cref="LabelledRowReader"/> reads it. Categories are the set's own: they are topics here.</summary>
/// <param name="Messages">For rows that are judged by their response.</param>
internal sealed record ImportedRow(
    string Source, Label Label, string? Prompt, IReadOnlyList<Turn>? Messages = null, Subject? Subject = null, string? Id = null, string? Topic = null,
    string? Attack = null, string? Lang = null);
