using System.Globalization;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>
/// A trace as a decoder must write it that can neither force tokens nor read several answers from one pass: token after token, each verdict behind
/// its rule. It says what our trace says in fewer tokens, since it needs no query tokens and tells the verdicts once.
/// <code>
/// ASSESS CATEGORIES | category RISK risk R1 verdict R2 verdict … PATH decision        (left of the bar: the end of the prompt)
/// full, from there:   INTENT sentence EVIDENCE category rule span STRATEGY sentence
/// </code>
/// </summary>
/// <param name="Prefix">What is fixed before the first choice.</param>
/// <param name="Steps">What each token is chosen among; where it is empty, any token but END.</param>
internal sealed record SequentialTrace(int[] Prefix, IReadOnlyList<int[]> Steps, int End)
{
    public static SequentialTrace Brief(TraceTokens tokens) => new(
        [.. tokens.AssessmentChunk(Subject.Prompt).TakeWhile(token => token != tokens.RiskQuery)],
        [
            [.. tokens.CategorySlots.Skip(1)], [tokens.RiskQuery], [.. tokens.Risks],
            .. tokens.Policy.Categories[0].Rules.SelectMany((_, i) => (int[][])[[Special(tokens, TraceFormat.RuleSlot(i + 1))], [.. tokens.Verdicts]]),
            [Special(tokens, TraceFormat.Path)], [.. tokens.Decisions],
        ],
        tokens.End);

    /// <param name="spanTokens">Tokens of the evidence, which here may be any: less work than to follow the prompt.</param>
    public static SequentialTrace Full(TraceTokens tokens, int spanTokens)
    {
        var brief = Brief(tokens);
        return brief with
        {
            Steps =
            [
                .. brief.Steps,
                [tokens.Intent], .. Free(TraceFormat.MaxSentenceTokens),
                [tokens.Evidence], [.. tokens.CategorySlots.Skip(1)], [Special(tokens, TraceFormat.RuleSlot(1))], .. Free(spanTokens),
                [tokens.Strategy], .. Free(TraceFormat.MaxSentenceTokens),
            ],
        };
    }

    public static IReadOnlyList<int[]> Free(int count) => [.. Enumerable.Repeat(Array.Empty<int>(), count)];

    public int[] PromptOf(PromptToken[] prompt) => [.. prompt.Select(token => token.Id), .. Prefix];

    /// <summary>The steps in GBNF, by token ids, so that a step is one token.</summary>
    public string Grammar => "root ::= " + string.Join(' ', Steps.Select(step => step.Length == 0
        ? $"!{Id(End)}"
        : $"({string.Join(" | ", step.Select(Id))})"));

    private static string Id(int token) => string.Create(CultureInfo.InvariantCulture, $"<[{token}]>");

    private static int Special(TraceTokens tokens, string token) => tokens.Tokenizer.SpecialId(token);
}
