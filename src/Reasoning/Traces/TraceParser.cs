using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Traces;

/// <summary>Reads what <see cref="TraceWriter"/> writes, and nothing else: a text that parses is written back as it was.</summary>
public static class TraceParser
{
    /// <exception cref="FormatException">
    /// The text is not a trace of this policy and conversation; the message says where and what was expected.
    /// </exception>
    public static Trace Parse(string text, Policy policy, Conversation conversation)
    {
        var reader = new Reader(text);
        reader.Take(TraceFormat.Token(conversation.Subject) + TraceFormat.Categories + TraceFormat.RiskQuery);
        var risk = reader.TakeOneOf(Enum.GetValues<Risk>(), TraceFormat.Token);
        var slots = TakeCategories(ref reader, policy);
        var categories = slots.ConvertAll(s => policy.Categories[s - 1]);

        var verdicts = new List<(Rule Rule, Verdict Verdict)>();
        foreach (var (_, rule) in categories.SelectMany(c => c.Checked))
            verdicts.Add((rule, reader.TakeOneOf(Enum.GetValues<Verdict>(), TraceFormat.Token)));
        reader.Take(TraceFormat.Path);
        var decision = reader.TakeOneOf(Enum.GetValues<Decision>().Where(d => Consistency.Allows(d, verdicts)), TraceFormat.Token);

        var intent = reader.TakeOptionalText(TraceFormat.Intent);
        var checks = new List<RuleCheck>();
        for (var i = 0; i < slots.Count; i++)
        {
            foreach (var (ruleSlot, rule) in categories[i].Checked)
            {
                var verdict = verdicts[checks.Count].Verdict;
                var evidence = verdict == Verdict.Violated ? TakeEvidence(ref reader, slots[i], ruleSlot, conversation) : null;
                checks.Add(new RuleCheck(rule.Id, verdict, evidence, rule.Enforcement));
            }
        }

        var strategy = reader.TakeOptionalText(TraceFormat.Strategy);
        reader.TakeEnd();
        return new Trace(new AssessmentStage(intent, categories.ConvertAll(c => c.Id), risk), checks, new PathStage(decision, strategy));
    }

    /// <summary>The chosen category slots with their rule slots, and the token that ends them; nothing when no category applies.</summary>
    private static List<int> TakeCategories(ref Reader reader, Policy policy)
    {
        var chosen = new List<int>();
        if (reader.TryTake(TraceFormat.CategorySlot(0))) return chosen;
        do
        {
            var slot = reader.TakeOneOf(
                Enumerable.Range(1, policy.Categories.Count).Where(s => policy.Categories[s - 1].IsChecked).Except(chosen), TraceFormat.CategorySlot);
            foreach (var (rule, _) in policy.Categories[slot - 1].Checked) reader.Take(TraceFormat.RuleSlot(rule) + TraceFormat.Query);
            chosen.Add(slot);
            if (reader.TryTake(TraceFormat.Verdicts)) return chosen;
        }
        while (chosen.Count < TraceFormat.MaxChosenCategories);

        reader.Take(TraceFormat.Verdicts);
        return chosen;
    }

    private static Evidence? TakeEvidence(ref Reader reader, int categorySlot, int ruleSlot, Conversation conversation)
    {
        var text = reader.TakeOptionalText(
            TraceFormat.EvidenceStart + TraceFormat.CategorySlot(categorySlot) + TraceFormat.RuleSlot(ruleSlot));
        if (text is null) return null;
        return Evidence.Locate(conversation, text) ?? throw reader.Expected("evidence that the conversation has verbatim, before this");
    }

    private struct Reader(string text)
    {
        private int _position;

        public bool TryTake(string token)
        {
            if (!text.AsSpan(_position).StartsWith(token, StringComparison.Ordinal)) return false;
            _position += token.Length;
            return true;
        }

        public void Take(string token)
        {
            if (!TryTake(token)) throw Expected(token);
        }

        public T TakeOneOf<T>(IEnumerable<T> values, Func<T, string> token)
        {
            foreach (var value in values)
            {
                if (TryTake(token(value))) return value;
            }

            throw Expected(string.Join(" or ", values.Select(token)));
        }

        /// <summary>The text between <paramref name="start"/> and END; null when <paramref name="start"/> is not next.</summary>
        public string? TakeOptionalText(string start)
        {
            if (!TryTake(start)) return null;
            var length = text.AsSpan(_position).IndexOf("<|");
            var content = TraceText.Unescape(length < 0 ? text[_position..] : text.Substring(_position, length));
            if (!TraceText.IsTrimmed(content)) throw Expected("a text without white space around it");
            _position += length < 0 ? text.Length - _position : length;
            Take(TraceFormat.End);
            return content;
        }

        public readonly void TakeEnd()
        {
            if (_position < text.Length) throw Expected("the end of the trace");
        }

        public readonly FormatException Expected(string what) => new($"Position {_position} of the trace: expected {what}.");
    }
}
