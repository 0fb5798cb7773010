using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Evaluation;

/// <summary>Judges rows through the guard that serves them.</summary>
internal static class GuardJudge
{
    /// <summary><see cref="Guard.AssessAsync"/>.</summary>
    public delegate Task<Judgment> Assess(Conversation conversation, TraceLevel level, CancellationToken cancellation);

    /// <param name="journal">Knows rows that were judged before, and keeps those that are judged now; null judges all and keeps none.</param>
    /// <param name="onJudged">Called after each row, from several threads.</param>
    /// <returns>A prediction for every row that is not too long, in the order of the rows.</returns>
    public static async Task<IReadOnlyList<Prediction>> JudgeAsync(
        Assess assess,
        IReadOnlyList<LabelledRow> rows,
        TraceLevel level,
        PredictionJournal? journal,
        int concurrency,
        Action onJudged,
        CancellationToken cancellation)
    {
        var predictions = new Prediction?[rows.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation };
        await Parallel.ForAsync(0, rows.Count, options, async (i, token) =>
        {
            if (journal is null || !journal.TryGet(rows[i], out predictions[i]))
            {
                predictions[i] = await JudgeAsync(assess, rows[i], level, token);
                journal?.Add(rows[i], predictions[i]);
            }

            onJudged();
        });
        return [.. predictions.OfType<Prediction>()];
    }

    /// <summary>Null for a row that is too long: the service would not judge it either.</summary>
    private static async Task<Prediction?> JudgeAsync(Assess assess, LabelledRow row, TraceLevel level, CancellationToken cancellation)
    {
        try
        {
            var judgment = await assess(row.Conversation, level, cancellation);
            return new Prediction(
                row,
                judgment.Scores.Refuse,
                judgment.Trace.Path.Decision == Decision.Refuse,
                judgment.Trace.Assessment.Categories,
                new TraceCost(judgment.Usage.Trace, judgment.Usage.Passes, judgment.Timings.Total));
        }
        catch (PromptTooLongException)
        {
            return null;
        }
    }
}
