using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Sft;

/// <summary>A training row as tokens.</summary>
/// <param name="Words">For each prompt token the number of the word that it belongs to, or -1 for markers, which are never masked.</param>
/// <param name="Slots">Gold category slots; [0] if none applies.</param>
/// <param name="Verdicts">By rule id.</param>
/// <param name="Weight">Repetitions an epoch above 1, weight in the loss below.</param>
internal sealed record SftRow(
    int[] Prompt,
    int[] Words,
    Subject Subject,
    int[] Slots,
    Risk Risk,
    IReadOnlyDictionary<string, Verdict> Verdicts,
    Decision Decision,
    IReadOnlyList<Explanation> Explanations,
    double Weight)
{
    /// <exception cref="InvalidDataException">The trace does not fit the policy.</exception>
    public static SftRow Of(TrainingRow row, TraceTokens tokens, int maxPromptTokens)
    {
        var prompt = Shorten(tokens.Template.Render(row.Conversation), maxPromptTokens);
        var trace = row.Trace;
        try
        {
            var slots = tokens.SlotsOf(trace.Assessment.Categories);
            var verdicts = trace.RuleChecks.ToDictionary(c => c.Rule, c => c.Verdict);
            foreach (var rule in tokens.RulesOf(slots))
            {
                if (!verdicts.ContainsKey(rule.Id)) throw new InvalidDataException($"Row {row.Id}: rule {rule.Id} has no verdict.");
            }

            return new SftRow(
                [.. prompt.Select(t => t.Id)],
                WordsOf(prompt, tokens.Tokenizer),
                row.Conversation.Subject,
                slots,
                trace.Assessment.Risk,
                verdicts,
                trace.Path.Decision,
                [.. ExplanationsOf(trace, prompt, tokens).Where(e => e.Text.Length > 0)],
                row.Weight);
        }
        catch (KeyNotFoundException e)
        {
            throw new InvalidDataException($"Row {row.Id}: {e.Message}", e);
        }
    }

    /// <summary>A prompt that is too long loses its middle.</summary>
    private static PromptToken[] Shorten(PromptToken[] prompt, int limit)
    {
        if (prompt.Length <= limit) return prompt;
        var head = limit / 2;
        return [.. prompt[..head], .. prompt[^(limit - head)..]];
    }

    private static int[] WordsOf(PromptToken[] prompt, GuardTokenizer tokenizer)
    {
        var words = new int[prompt.Length];
        var word = 0;
        for (var i = 0; i < prompt.Length; i++)
        {
            if (prompt[i].Turn >= 0 && !char.IsAsciiLetterOrDigit((char)tokenizer.Bytes(prompt[i].Id)[0])) word++;
            words[i] = prompt[i].Turn < 0 ? -1 : word;
        }

        return words;
    }

    private static IEnumerable<Explanation> ExplanationsOf(Trace trace, PromptToken[] prompt, TraceTokens tokens)
    {
        if (trace.Assessment.Intent is { } intent) yield return Sentence(tokens.Intent, intent);
        if (trace.Path.Strategy is { } strategy) yield return Sentence(tokens.Strategy, strategy);
        foreach (var check in trace.RuleChecks)
        {
            if (check.Evidence is not { } evidence || SpanOf(evidence, prompt) is not { } span) continue;
            var text = prompt[span].Select(t => t.Id).Take(TraceFormat.MaxSentenceTokens);
            yield return new Explanation(tokens.EvidenceChunk(check.Rule), [.. text], span);
        }

        Explanation Sentence(int marker, string text)
        {
            var spans = new List<TokenSpan>();
            tokens.Tokenizer.Encode(text, spans);
            return new Explanation([marker], [.. spans.Take(TraceFormat.MaxSentenceTokens).Select(s => s.Id)], new Range(0, 0));
        }
    }

    /// <summary>The unbroken run of prompt tokens that covers a span of a turn; null if the prompt lost a part of it.</summary>
    private static Range? SpanOf(Evidence evidence, PromptToken[] prompt)
    {
        var first = Array.FindIndex(prompt, t => t.Turn == evidence.Turn && t.End > evidence.Start);
        var last = Array.FindLastIndex(prompt, t => t.Turn == evidence.Turn && t.Start < evidence.End);
        if (first < 0 || last < first || prompt[first].Start > evidence.Start || prompt[last].End < evidence.End) return null;
        for (var i = first; i < last; i++)
        {
            if (prompt[i + 1].Start > prompt[i].End) return null;
        }

        return first..(last + 1);
    }
}

/// <summary>A branch of a full trace: forced tokens, then a sentence or a span of the prompt.</summary>
/// <param name="Copied">The part of the prompt that <paramref name="Text"/> repeats; it must not be masked.</param>
internal sealed record Explanation(int[] Start, int[] Text, Range Copied);
