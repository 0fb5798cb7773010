using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Preference;

/// <summary>Who wrote the better side of a pair.</summary>
internal enum Winner
{
    Model,
    Teacher,
}

/// <summary>Two traces of one row that agree up to a step and differ in it. A line of the pair file.</summary>
/// <param name="Reference">What the model before training says of them.</param>
internal sealed record PreferencePair(
    string Row, Step Step, Winner Winner, SampledTrace Chosen, SampledTrace Rejected, ReferenceLogs? Reference = null)
{
    /// <summary>What makes it no pair that can be trained on.</summary>
    public IEnumerable<string> Errors(TraceTokens tokens)
    {
        var errors = SideErrors("chosen", Chosen, tokens).Concat(SideErrors("rejected", Rejected, tokens)).ToList();
        foreach (var error in errors) yield return error;
        if (errors.Count > 0) yield break;
        if (Chosen.PrefixOf(Step) != Rejected.PrefixOf(Step)) yield return $"chosen and rejected differ before the step {Step}";
        if (Chosen.ChoiceOf(Step) == Rejected.ChoiceOf(Step)) yield return $"chosen and rejected do not differ in the step {Step}";
        if (Reference is { } logs && !(logs.Chosen <= 0 && double.IsFinite(logs.Chosen) && logs.Rejected <= 0 && double.IsFinite(logs.Rejected)))
            yield return "reference has what is not a log-probability";
    }

    private IEnumerable<string> SideErrors(string side, SampledTrace trace, TraceTokens tokens)
    {
        if (trace.Category != Reasoning.Policies.Policy.NoCategory && tokens.Policy.IndexOfCategory(trace.Category) < 0)
        {
            yield return $"{side}: the policy has no category {trace.Category}";
            yield break;
        }

        var rules = tokens.RulesOf([GoldRow.SlotOf(trace.Category, tokens)]).Count();
        if (Step >= Step.Verdicts && trace.Verdicts?.Count != rules) yield return $"{side}: {trace.Category} has {rules} rules, not {trace.Verdicts?.Count ?? 0}";
        if (Step == Step.Verdicts && rules == 0) yield return $"{side}: {trace.Category} has no rules to check";
        if (Step >= Step.Path && trace.Decision is null) yield return $"{side}: has no decision";
        if (Step < Step.Intent) yield break;
        if (trace.SentenceOf(Step) is not { } sentence) yield return $"{side}: has no {Step}";
        else if (sentence.Tokens.Count is 0 or > TraceFormat.MaxSentenceTokens) yield return $"{side}: has a sentence of {sentence.Tokens.Count} tokens";
        else if (sentence.Tokens.Any(t => t < 0 || t >= tokens.Tokenizer.VocabularySize || tokens.Tokenizer.IsSpecial(t)))
            yield return $"{side}: has a token that is not text";
    }
}

/// <summary>Log-probabilities of the choices of a step, summed.</summary>
internal sealed record ReferenceLogs(double Chosen, double Rejected);
