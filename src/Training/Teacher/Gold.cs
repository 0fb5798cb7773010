using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher;

/// <summary>What is known of a row before it has a trace.</summary>
/// <param name="Categories">The main category first; empty for none (S0). A harmful row without one gets the lexicon's best.</param>
/// <param name="Decision">Null: harmful rows are refused, all others answered.</param>
/// <param name="Rule">The rule of the main category that is meant, where it is known.</param>
/// <param name="Focus">Words of the text that show it, where they are known.</param>
/// <param name="Risk">Null: taken from label and category.</param>
internal sealed record Gold(
    Label Label,
    IReadOnlyList<string> Categories,
    Decision? Decision = null,
    string? Rule = null,
    string? Focus = null,
    Risk? Risk = null,
    string? Intent = null,
    string? Strategy = null);
