using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Sft;

/// <summary>Draws examples from rows: which words are masked, which categories are verified, which branch is explained.</summary>
/// <param name="pool">Category slots to draw wrong categories from, as often as they occur; may be empty.</param>
internal sealed class SftExamples(TraceTokens tokens, SftOptions options, IReadOnlyList<int> pool)
{
    private readonly int _mask = tokens.Tokenizer.SpecialId(TraceFormat.Mask);

    public SftExample Draw(SftRow row, float weight, Random random)
    {
        var explanation = row.Explanations.Count == 0 ? null : row.Explanations[random.Next(row.Explanations.Count)];
        var trace = new Writer(MaskWords(row, explanation, random));

        var assessment = trace.Append(tokens.AssessmentChunk(row.Subject));
        trace.Ask(assessment, Question.Assess, tokens.Decisions[(int)row.Decision]);
        foreach (var slot in row.Slots) trace.Ask(assessment + 1, Question.Categories, tokens.CategorySlots[slot], 1f / row.Slots.Length);
        trace.Ask(assessment + 2, Question.Risk, tokens.Risks[(int)row.Risk]);

        var slots = DrawSlots(row, random);
        var risk = random.NextDouble() < options.RiskNoise ? (Risk)random.Next(tokens.Risks.Count) : row.Risk;
        var queries = new List<int>();
        var rules = trace.Append(tokens.RulesChunk(risk, slots, queries));
        if (slots is not [0])
        {
            Verdict[] verdicts = [.. tokens.RulesOf(slots).Select(r => row.Verdicts.GetValueOrDefault(r.Id, Verdict.NotApplicable))];
            for (var i = 0; i < verdicts.Length; i++)
                trace.Ask(rules + queries[i], Question.Verdict, tokens.Verdicts[(int)verdicts[i]], 1f / verdicts.Length);
            trace.Append(tokens.VerdictsChunk(verdicts));
        }

        trace.Ask(trace.Last, Question.Path, tokens.Decisions[(int)row.Decision]);
        trace.Append(tokens.Decisions[(int)row.Decision]);
        if (explanation is not null) Explain(trace, explanation);
        return new SftExample([.. trace.Tokens], row.Prompt.Length, trace.Targets, row.Decision == Decision.Refuse, weight);
    }

    /// <summary>Each text token is the target of the one before it. A text that fills its limit needs no END: decoding stops there.</summary>
    private void Explain(Writer trace, Explanation explanation)
    {
        var ends = explanation.Text.Length < TraceFormat.MaxSentenceTokens;
        var weight = 1f / (explanation.Text.Length + (ends ? 1 : 0));
        trace.Append(explanation.Start);
        foreach (var token in explanation.Text)
        {
            trace.Ask(trace.Last, Question.Text, token, weight);
            trace.Append(token);
        }

        if (ends) trace.Ask(trace.Last, Question.Text, tokens.End, weight);
    }

    private int[] MaskWords(SftRow row, Explanation? explanation, Random random)
    {
        var prompt = (int[])row.Prompt.Clone();
        var (copied, length) = explanation?.Copied.GetOffsetAndLength(prompt.Length) ?? (0, 0);
        var masked = false;
        for (var i = 0; i < prompt.Length; i++)
        {
            if (i == 0 || row.Words[i] != row.Words[i - 1]) masked = row.Words[i] >= 0 && random.NextDouble() < options.WordMasking;
            if (masked && (i < copied || i >= copied + length)) prompt[i] = _mask;
        }

        return prompt;
    }

    /// <summary>The gold categories in any order, since serving orders them by probability, and perhaps a wrong one.</summary>
    private int[] DrawSlots(SftRow row, Random random)
    {
        var none = row.Slots is [0];
        var slots = row.Slots.Take(TraceFormat.MaxChosenCategories).ToList();
        if (random.NextDouble() < (none ? options.WrongCategoryAlone : options.WrongCategory))
        {
            // Half of them as often as they apply elsewhere, since those are the likely confusions.
            var wrong = pool.Count > 0 && random.Next(2) == 0 ? pool[random.Next(pool.Count)] : random.Next(1, tokens.CategorySlots.Count);
            if (none) return [wrong];
            if (slots.Count < TraceFormat.MaxChosenCategories && !row.Slots.Contains(wrong)) slots.Add(wrong);
        }

        var drawn = slots.ToArray();
        random.Shuffle(drawn);
        return drawn;
    }

    private sealed class Writer(int[] prompt)
    {
        public List<int> Tokens { get; } = [.. prompt];

        public List<Target> Targets { get; } = [];

        public int Last => Tokens.Count - 1;

        /// <summary>Returns the position of the first token.</summary>
        public int Append(params ReadOnlySpan<int> chunk)
        {
            var start = Tokens.Count;
            Tokens.AddRange(chunk);
            return start;
        }

        public void Ask(int position, Question question, int token, float weight = 1) => Targets.Add(new Target(position, token, question, weight));
    }
}
