using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter;

/// <summary>How often two bundles of one model judge alike.</summary>
/// <param name="Rows">Conversations that both judged.</param>
/// <param name="SameDecision">Of these, how many got the same decision.</param>
/// <param name="Rules">Rules that both checked.</param>
/// <param name="SameVerdict">Of these, how many got the same verdict.</param>
/// <param name="ScoreDifference">Mean absolute difference of the probability of a refusal.</param>
internal sealed record VerdictAgreement(int Rows, int SameDecision, int Rules, int SameVerdict, double ScoreDifference)
{
    private const int Concurrency = 16;

    /// <param name="onJudged">Called after each row, from several threads.</param>
    public static async Task<VerdictAgreement> MeasureAsync(
        Guard exact, Guard quantised, IReadOnlyList<Conversation> conversations, Action onJudged, CancellationToken cancellation)
    {
        var pairs = new (Judgment, Judgment)?[conversations.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellation };
        await Parallel.ForAsync(0, conversations.Count, options, async (i, token) =>
        {
            try
            {
                pairs[i] = (
                    await exact.AssessAsync(conversations[i], TraceLevel.Brief, cancellation: token),
                    await quantised.AssessAsync(conversations[i], TraceLevel.Brief, cancellation: token));
            }
            catch (PromptTooLongException)
            {
                // Stays null: neither bundle would judge it.
            }

            onJudged();
        });
        return Of([.. pairs.OfType<(Judgment, Judgment)>()]);
    }

    internal static VerdictAgreement Of(IReadOnlyList<(Judgment Exact, Judgment Quantised)> pairs)
    {
        var verdicts = pairs.SelectMany(p => p.Exact.Trace.RuleChecks.Join(
            p.Quantised.Trace.RuleChecks, c => c.Rule, c => c.Rule, (a, b) => a.Verdict == b.Verdict)).ToList();
        return new VerdictAgreement(
            pairs.Count,
            pairs.Count(p => p.Exact.Trace.Path.Decision == p.Quantised.Trace.Path.Decision),
            verdicts.Count,
            verdicts.Count(same => same),
            pairs.Count == 0 ? 0 : pairs.Average(p => Math.Abs(p.Exact.Scores.Refuse - p.Quantised.Scores.Refuse)));
    }
}
