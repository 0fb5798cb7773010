using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Evaluation;

/// <summary>Judges rows through the guard that serves them.</summary>
internal static class GuardJudge
{
    /// <summary><see cref="Guard.AssessAsync"/>.</summary>
    public delegate Task<Judgment> Assess(Conversation conversation, TraceLevel level, CancellationToken cancellation);

    /// <param name="threshold">Refuse from this score on; null takes the decision of the trace.</param>
    /// <param name="onJudged">Called after each row, from several threads.</param>
    /// <returns>A prediction for every row that is not too long, in the order of the rows.</returns>
    public static async Task<IReadOnlyList<Prediction>> JudgeAsync(
        Assess assess,
        IReadOnlyList<LabelledRow> rows,
        TraceLevel level,
        double? threshold,
        int concurrency,
        Action onJudged,
        CancellationToken cancellation)
    {
        var predictions = new Prediction?[rows.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation };
        await Parallel.ForAsync(0, rows.Count, options, async (i, token) =>
        {
            try
            {
                predictions[i] = Of(rows[i], await assess(rows[i].Conversation, level, token), threshold);
            }
            catch (PromptTooLongException)
            {
                // Stays null: the service would not judge it either.
            }

            onJudged();
        });
        return [.. predictions.OfType<Prediction>()];
    }

    private static Prediction Of(LabelledRow row, Judgment judgment, double? threshold) => new(
        row,
        judgment.Scores.Refuse,
        threshold is { } t ? judgment.Scores.Refuse >= t : judgment.Trace.Path.Decision == Decision.Refuse,
        judgment.Trace.Assessment.Categories,
        new TraceCost(judgment.Usage.Trace, judgment.Timings.Total));
}
