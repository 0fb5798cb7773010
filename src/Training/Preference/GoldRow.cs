using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Sft;

namespace SaferGuard.Training.Preference;

/// <summary>A training row that sampled traces are held against: its prompt as tokens, and what the teacher says of it.</summary>
internal sealed record GoldRow(TrainingRow Row, SftRow Tokens)
{
    public string Id => Row.Id;

    /// <summary>The first step in which a trace departs from the teacher; null if every decision is right. Sentences are not looked at.</summary>
    public Step? FirstFault(SampledTrace trace, TraceTokens tokens)
    {
        if (trace.Impression != Tokens.Decision || !Tokens.Slots.Contains(SlotOf(trace.Category, tokens))) return Step.Assessment;
        if (!trace.Verdicts!.Zip(Verdicts(trace.Category, tokens)).All(v => (v.First == Verdict.Violated) == (v.Second == Verdict.Violated)))
            return Step.Verdicts;
        return trace.Decision == Tokens.Decision ? null : Step.Path;
    }

    /// <summary>The teacher's choice in a step, behind what a trace has before it; null where the teacher has none, or none that may follow.</summary>
    public SampledTrace? Mend(SampledTrace trace, Step step, TraceTokens tokens) => step switch
    {
        Step.Assessment => new SampledTrace(Tokens.Decision, IdOf(Tokens.Slots[0], tokens), Tokens.Risk),
        Step.Verdicts => trace.Until(Step.Verdicts) with { Verdicts = [.. Verdicts(trace.Category, tokens)] },
        Step.Path when Consistency.Allows(Tokens.Decision, Rules(trace.Category, tokens).Select(r => r.Effect).Zip(trace.Verdicts!)) =>
            trace.Until(Step.Path) with { Decision = Tokens.Decision },
        _ => null,
    };

    private IEnumerable<Verdict> Verdicts(string category, TraceTokens tokens) =>
        Rules(category, tokens).Select(r => Tokens.Verdicts.GetValueOrDefault(r.Id, Verdict.NotApplicable));

    private static IEnumerable<Rule> Rules(string category, TraceTokens tokens) => tokens.RulesOf([SlotOf(category, tokens)]);

    /// <exception cref="KeyNotFoundException">The policy has no such category.</exception>
    public static int SlotOf(string category, TraceTokens tokens) => tokens.SlotsOf(category == Policy.NoCategory ? [] : [category])[0];

    private static string IdOf(int slot, TraceTokens tokens) => slot == 0 ? Policy.NoCategory : tokens.Policy.Categories[slot - 1].Id;
}
