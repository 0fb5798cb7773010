namespace SaferGuard.Reasoning.Decoding;

/// <summary>An answer that the model itself wrote to a conversation that was not refused.</summary>
public sealed record ModelAnswer(string Text, bool ReachedLimit, int Tokens);

/// <summary>How an answer is sampled. <paramref name="Temperature"/> 0 is greedy.</summary>
public sealed record AnswerOptions(int MaxTokens = 256, double Temperature = 0, int Seed = 0);
