using System.Globalization;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>
/// A trace as a decoder must write it that can neither force tokens nor read several answers from one pass: token after token, each rule's verdict
/// behind the rule. It says the same as our trace, in fewer tokens: verdicts need not be told again, and there are no query tokens.
/// <code>
/// ASSESS CATEGORIES | category RISK risk R1 verdict … R4 verdict PATH decision        (left of the bar: part of the prompt)
/// full, from here:    INTENT sentence EVIDENCE category rule span STRATEGY sentence
/// </code>
/// </summary>
/// <param name="steps">What each token is chosen among; nothing for any token but END.</param>
internal sealed class SequentialTrace(TraceTokens tokens, IReadOnlyList<int[]> steps)
{
    public int Tokens => steps.Count;

    public IReadOnlyList<int[]> Steps => steps;

    public static SequentialTrace Brief(TraceTokens tokens)
    {
        int[] categories = [.. tokens.CategorySlots.Skip(1)];
        var rules = tokens.Policy.Categories[0].Rules.Select((_, i) => tokens.Tokenizer.SpecialId(TraceFormat.RuleSlot(i + 1)));
        return new SequentialTrace(tokens,
        [
            categories, [tokens.RiskQuery], [.. tokens.Risks],
            .. rules.SelectMany(rule => (int[][])[[rule], [.. tokens.Verdicts]]),
            [tokens.Tokenizer.SpecialId(TraceFormat.Path)], [.. tokens.Decisions],
        ]);
    }

    /// <param name="spanTokens">Tokens of the evidence, which here may be any: less work than following the prompt.</param>
    public static SequentialTrace Full(TraceTokens tokens, int spanTokens)
    {
        var ruleSlot = tokens.Tokenizer.SpecialId(TraceFormat.RuleSlot(1));
        return new SequentialTrace(tokens,
        [
            .. Brief(tokens).Steps,
            [tokens.Intent], .. Free(TraceFormat.MaxSentenceTokens),
            [tokens.Evidence], [.. tokens.CategorySlots.Skip(1)], [ruleSlot], .. Free(spanTokens),
            [tokens.Strategy], .. Free(TraceFormat.MaxSentenceTokens),
        ]);
    }

    public static IEnumerable<int[]> Free(int count) => Enumerable.Repeat(Array.Empty<int>(), count);

    /// <summary>The prompt and what is fixed before the first choice.</summary>
    public int[] PromptOf(PromptToken[] prompt) =>
        [.. prompt.Select(t => t.Id), .. tokens.AssessmentChunk(Subject.Prompt).TakeWhile(t => t != tokens.RiskQuery)];

    /// <summary>The trace in GBNF, by token ids: one step is one token.</summary>
    public string Grammar => "root ::= " + string.Join(' ', steps.Select(step => step.Length == 0
        ? $"!{Id(tokens.End)}"
        : $"({string.Join(" | ", step.Select(Id))})"));

    private static string Id(int token) => string.Create(CultureInfo.InvariantCulture, $"<[{token}]>");
}
