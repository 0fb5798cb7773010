using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning;

/// <summary>What a judgment cost, in tokens and forward passes.</summary>
/// <param name="Input">Tokens of the conversation.</param>
/// <param name="Trace">Tokens of the trace.</param>
/// <param name="Forced">Those of them that the format forced, so that they were not decoded one by one.</param>
/// <param name="Cached">Input tokens that were not computed again.</param>
/// <param name="Passes">Forward passes that the judgment took part in.</param>
/// <param name="Remembered">Verdicts that were not made again, because the same had been judged before.</param>
public sealed record TokenUsage(int Input, int Trace, int Forced, int Cached, int Passes, int Remembered = 0);

/// <summary>Where the time went.</summary>
public sealed record JudgmentTimings(TimeSpan Queue, TimeSpan Prefill, TimeSpan Decode, TimeSpan Total);

/// <summary>A trace with the probabilities that the model gave it. <paramref name="RuleScores"/>[i] is the probability that rule i of the trace is violated.</summary>
public sealed record Judgment(
    Trace Trace, DecisionScores Scores, IReadOnlyList<double> RuleScores, TokenUsage Usage, JudgmentTimings Timings);
