using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning;

/// <summary>Calibrated probabilities of the three decisions; they sum to 1.</summary>
public sealed record DecisionScores(double Answer, double Care, double Refuse);

/// <summary>What a judgment cost, in tokens and forward passes.</summary>
/// <param name="Input">Tokens of the conversation.</param>
/// <param name="Trace">Tokens of the trace.</param>
/// <param name="Forced">Those of them that the format forced, so that they were not decoded one by one.</param>
/// <param name="Cached">Input tokens that were not computed again.</param>
/// <param name="Passes">Forward passes that the judgment took part in.</param>
public sealed record TokenUsage(int Input, int Trace, int Forced, int Cached, int Passes);

/// <summary>Where the time went.</summary>
public sealed record JudgmentTimings(TimeSpan Queue, TimeSpan Prefill, TimeSpan Decode, TimeSpan Total);

/// <summary>A trace with the probabilities that the model gave it. <paramref name="RuleScores"/>[i] is the probability that rule i of the trace is violated.</summary>
public sealed record Judgment(
    Trace Trace, DecisionScores Scores, IReadOnlyList<double> RuleScores, TokenUsage Usage, JudgmentTimings Timings);

/// <summary>An answer that the model itself wrote along the decided path.</summary>
public sealed record ModelAnswer(string Text, bool ReachedLimit, int Tokens);

/// <summary>How an answer is sampled. <paramref name="Temperature"/> 0 is greedy.</summary>
public sealed record AnswerOptions(int MaxTokens = 256, double Temperature = 0, int Seed = 0);
