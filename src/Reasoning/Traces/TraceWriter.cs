using System.Text;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Traces;

/// <summary>
/// Writes a trace as text, special tokens included, in the order of <see cref="TraceFormat"/>: the one text that <see cref="TraceParser"/>
/// reads as this trace.
/// </summary>
public static class TraceWriter
{
    /// <exception cref="ArgumentException">The trace is not one of this policy or contradicts itself.</exception>
    public static string Write(Trace trace, Policy policy, Subject subject)
    {
        var (assessment, checks, path) = trace;
        var slots = SlotsOf(assessment.Categories, policy);
        var rules = slots.SelectMany(s => policy.Categories[s - 1].Checked.Select(r => (Slot: s, RuleSlot: r.Slot, r.Rule))).ToList();
        if (!rules.Select(r => r.Rule.Id).SequenceEqual(checks.Select(c => c.Rule)))
            throw new ArgumentException("The rule checks are not the rules of the categories, in their order.", nameof(trace));
        if (!Consistency.Allows(path.Decision, rules.Zip(checks, (r, c) => (r.Rule, c.Verdict))))
            throw new ArgumentException($"The verdicts do not allow the decision {path.Decision}.", nameof(trace));

        var text = new StringBuilder()
            .Append(TraceFormat.Token(subject)).Append(TraceFormat.Categories)
            .Append(TraceFormat.RiskQuery).Append(TraceFormat.Token(assessment.Risk));
        if (slots.Length == 0) text.Append(TraceFormat.CategorySlot(0));
        foreach (var category in rules.GroupBy(r => r.Slot))
        {
            text.Append(TraceFormat.CategorySlot(category.Key));
            foreach (var (_, ruleSlot, _) in category) text.Append(TraceFormat.RuleSlot(ruleSlot)).Append(TraceFormat.Query);
        }

        if (slots.Length > 0) text.Append(TraceFormat.Verdicts);
        foreach (var check in checks) text.Append(TraceFormat.Token(check.Verdict));
        text.Append(TraceFormat.Path).Append(TraceFormat.Token(path.Decision));

        if (assessment.Intent is { } intent) AppendText(TraceFormat.Intent, intent);
        foreach (var ((slot, ruleSlot, rule), check) in rules.Zip(checks))
        {
            if (check.Evidence is not { } evidence) continue;
            if (check.Verdict != Verdict.Violated)
                throw new ArgumentException($"Rule {rule.Id} is not violated but has evidence.", nameof(trace));
            AppendText(TraceFormat.EvidenceStart + TraceFormat.CategorySlot(slot) + TraceFormat.RuleSlot(ruleSlot), evidence.Text);
        }

        if (path.Strategy is { } strategy) AppendText(TraceFormat.Strategy, strategy);
        return text.ToString();

        void AppendText(string start, string content)
        {
            if (!TraceText.IsTrimmed(content)) throw new ArgumentException($"The text after {start} is empty or not trimmed.", nameof(trace));
            text.Append(start).Append(TraceText.Escape(content)).Append(TraceFormat.End);
        }
    }

    private static int[] SlotsOf(IReadOnlyList<string> categories, Policy policy)
    {
        int[] slots = [.. categories.Select(c => policy.IndexOfCategory(c) + 1)];
        if (slots.Contains(0) || slots.Any(s => !policy.Categories[s - 1].IsChecked))
            throw new ArgumentException("The policy does not have, or does not check, every category of the trace.", nameof(categories));
        if (slots.Length > TraceFormat.MaxChosenCategories || slots.Distinct().Count() < slots.Length)
            throw new ArgumentException($"A trace has at most {TraceFormat.MaxChosenCategories} categories, each once.", nameof(categories));
        return slots;
    }
}
