namespace SaferGuard.Training.Evaluation;

/// <summary>What a judge said of one row.</summary>
/// <param name="Score">Probability that the row should be refused.</param>
/// <param name="Cost">Null for judges that write no trace.</param>
public sealed record Prediction(LabelledRow Row, double Score, bool Refused, IReadOnlyList<string>? Categories = null, TraceCost? Cost = null)
{
    public Scored Scored => new(Score, Row.IsHarmful);
}

/// <summary>What the trace of one row cost.</summary>
/// <param name="Passes">Forward passes that it took part in.</param>
public readonly record struct TraceCost(int TraceTokens, int Passes, TimeSpan Latency);
