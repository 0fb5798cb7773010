using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class GuardJudgeTests
{
    private static readonly LabelledRow[] Rows =
        [.. Enumerable.Range(0, 40).Select(i => new LabelledRow($"{i}", "set", null, Label.Benign, 1, Conversation.OfPrompt($"{i}"), null))];

    [Fact]
    public async Task Predictions_stand_in_the_order_of_the_rows_whatever_finishes_first()
    {
        var running = 0;
        var most = 0;
        var judged = 0;

        var predictions = await GuardJudge.JudgeAsync(
            async (conversation, _, token) =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref running));
                var number = Number(conversation);
                await Task.Delay(number % 3, token);
                Interlocked.Decrement(ref running);
                return Judged(number / 100.0, Decision.Answer);
            },
            Rows, TraceLevel.Brief, journal: null, concurrency: 4, () => Interlocked.Increment(ref judged), TestContext.Current.CancellationToken);

        Assert.Equal(Rows.Select(r => r.Id), predictions.Select(p => p.Row.Id));
        Assert.Equal(Enumerable.Range(0, 40).Select(i => i / 100.0), predictions.Select(p => p.Score));
        Assert.InRange(most, 1, 4);
        Assert.Equal(40, judged);
    }

    [Fact]
    public async Task A_row_that_is_too_long_is_left_out()
    {
        var predictions = await GuardJudge.JudgeAsync(
            (conversation, _, _) => Number(conversation) == 7
                ? Task.FromException<Judgment>(new PromptTooLongException(9000, 8192))
                : Task.FromResult(Judged(0.5, Decision.Answer)),
            Rows, TraceLevel.Full, journal: null, concurrency: 2, () => { }, TestContext.Current.CancellationToken);

        Assert.Equal(39, predictions.Count);
        Assert.DoesNotContain(predictions, p => p.Row.Id == "7");
    }

    [Fact]
    public async Task An_unavailable_guard_ends_the_evaluation()
    {
        await Assert.ThrowsAsync<EngineUnavailableException>(() => GuardJudge.JudgeAsync(
            (_, _, _) => Task.FromException<Judgment>(new EngineUnavailableException("stopped")),
            Rows, TraceLevel.Full, journal: null, concurrency: 2, () => { }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_run_that_was_stopped_goes_on_where_it_was()
    {
        using var folder = new TemporaryFolder();
        var asked = 0;
        var calm = true;
        async Task<IReadOnlyList<Prediction>> JudgeAsync()
        {
            using var journal = PredictionJournal.Open(folder["predictions.jsonl"], "judge");
            return await GuardJudge.JudgeAsync(
                (conversation, _, _) => calm && Interlocked.Increment(ref asked) > 10
                    ? Task.FromException<Judgment>(new OperationCanceledException())
                    : Task.FromResult(Judged(Number(conversation) / 100.0, Decision.Answer)),
                Rows, TraceLevel.Brief, journal, concurrency: 1, () => { }, TestContext.Current.CancellationToken);
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(JudgeAsync);
        calm = false;
        var predictions = await JudgeAsync();

        Assert.Equal(11, asked);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => i / 100.0), predictions.Select(p => p.Score));
        Assert.Equal(40, File.ReadLines(folder["predictions.jsonl"]).Count());
    }

    private static int Number(Conversation conversation) => int.Parse(conversation.Turns[0].Content);

    private static Judgment Judged(double refuse, Decision decision) => new(
        new Trace(new AssessmentStage(null, [], Risk.None), [], new PathStage(decision, null)),
        new DecisionScores(1 - refuse, 0, refuse),
        [],
        new TokenUsage(5, 3, 2, 0, 3),
        new JudgmentTimings(default, default, default, TimeSpan.FromMilliseconds(1)));

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
