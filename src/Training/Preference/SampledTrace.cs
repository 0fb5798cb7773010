using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Preference;

/// <summary>The steps of a trace in the order in which it is sampled. What is chosen in one step is read in one pass; the sentences do not see each other.</summary>
internal enum Step
{
    /// <summary>The first impression, and the category that is verified. The risk is sampled but not judged: the teacher's is a rule of thumb.</summary>
    Assessment,
    Verdicts,
    Path,
    Intent,
    Strategy,
}

/// <param name="Tokens">As they were sampled, without END.</param>
/// <param name="Ended">END was chosen; false where decoding stopped at the limit.</param>
internal sealed record Sentence(string Text, IReadOnlyList<int> Tokens, bool Ended)
{
    /// <summary>Choices that it took, that of END included.</summary>
    [JsonIgnore]
    public int Length => Tokens.Count + (Ended ? 1 : 0);
}

/// <summary>A trace that was sampled, or its beginning: what comes after the last step is null.</summary>
/// <param name="Category">The one category that is verified, or S0.</param>
/// <param name="Verdicts">In the order of the category's rules; empty for S0.</param>
internal sealed record SampledTrace(
    Decision Impression,
    string Category,
    Risk Risk,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Verdict>? Verdicts = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Decision? Decision = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Sentence? Intent = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Sentence? Strategy = null)
{
    /// <summary>The beginning up to and with a step; of the sentences it keeps only the step's own.</summary>
    public SampledTrace Until(Step last) => this with
    {
        Verdicts = last >= Step.Verdicts ? Verdicts : null,
        Decision = last >= Step.Path ? Decision : null,
        Intent = last == Step.Intent ? Intent : null,
        Strategy = last == Step.Strategy ? Strategy : null,
    };

    public Sentence? SentenceOf(Step step) => step == Step.Intent ? Intent : Strategy;

    /// <summary>What the model has read before a step, beside the prompt. Equal texts mean equal inputs.</summary>
    public string PrefixOf(Step step) => step switch
    {
        Step.Assessment => "",
        Step.Verdicts => $"{Category} {Risk}",
        Step.Path => $"{Category} {Risk} {string.Join(' ', Verdicts ?? [])}",
        _ => $"{Category} {Risk} {string.Join(' ', Verdicts ?? [])} {Decision}",
    };

    /// <summary>What is chosen in a step. Equal texts mean equal labels.</summary>
    public string ChoiceOf(Step step) => step switch
    {
        Step.Assessment => $"{Impression} {Category}",
        Step.Verdicts => string.Join(' ', Verdicts ?? []),
        Step.Path => $"{Decision}",
        _ => $"{string.Join(' ', SentenceOf(step)?.Tokens ?? [])} {SentenceOf(step)?.Ended}",
    };
}

/// <summary>A line of the roll-out file.</summary>
internal sealed record RowSamples(string Row, IReadOnlyList<SampledTrace> Traces);
