using SaferGuard.Reasoning.Lexical;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>A conversation with the label that a judge is measured against.</summary>
/// <param name="Split">Null in sets that are not split.</param>
/// <param name="Categories">Gold categories; empty means that none applies, null that they are not known.</param>
public sealed record LabelledRow(
    string Id, string Source, string? Split, Label Label, double Weight, Conversation Conversation, IReadOnlyList<string>? Categories)
{
    /// <summary>ISO 639-1 code; null where the set does not say.</summary>
    public string? Lang { get; init; }

    /// <summary>A category of the set's own.</summary>
    public string? Topic { get; init; }

    /// <summary>Name of the attack that carries the request; null for plain ones.</summary>
    public string? Attack { get; init; }

    /// <summary>Ids of the violated rules; null where they are not known.</summary>
    public IReadOnlyList<string>? Violated { get; init; }

    /// <summary>The set's code, or a guess that says that it is one.</summary>
    public string Language => Lang ?? Script.Guess(Text);

    /// <summary>What a refusal would be right for.</summary>
    public bool IsHarmful => Label == Label.Harmful;

    /// <summary>All turns as one text, for models that know no conversations.</summary>
    public string Text => LexicalPrior.TextOf(Conversation);
}
