using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>
/// Judges answers: each window of them by itself, because a harmless question thins a harmful answer out and a harmful one colours a refusal of it,
/// and the whole once more with the conversation that it answers.
/// </summary>
internal sealed class ResponseJudge(TextWindows windows, WindowOptions options)
{
    /// <summary>Judges an answer that is there as a whole.</summary>
    /// <exception cref="PromptTooLongException">The answer has too many tokens.</exception>
    public async Task<Judgment> JudgeAsync(Conversation conversation, string response, TraceLevel level, Bench bench, CancellationToken cancellation)
    {
        var policy = bench.Policy;
        var (tokens, most) = (policy.CountTokens(new(Role.Assistant, response)), Math.Max(options.MaxTokens, policy.Room));
        if (tokens > most) throw new PromptTooLongException(tokens, most);
        using var reading = new Reading(bench, options.MaxParallel, cancellation);
        var turn = conversation.Turns.Count;
        var parts = windows.Of(response, policy).Select(window => PartOf(window, turn)).ToList();
        var judgments = await Task.WhenAll(parts.Select(part => reading.JudgePartAsync(part, TraceLevel.Brief)));
        var (worst, score) = parts.Zip(judgments.Select(judgment => judgment.IsRefused() ? 1 + judgment.Scores.Refuse : judgment.Scores.Refuse)).MaxBy(p => p.Second);
        if (score >= 1) return reading.Total(await reading.JudgePartAsync(worst, level));

        var judged = await JudgeWholeAsync(conversation, response, level, reading);
        if (judged is null || (judged.IsRefused() && await IsRefusedWithoutAnswerAsync(conversation, reading)))
        {
            // The conversation is refused without the answer too, or leaves no room for it: the answer's own text decides.
            judged = await reading.JudgePartAsync(worst, level);
        }

        return reading.Total(judged);
    }

    /// <summary>Judges one window of an answer by itself.</summary>
    public static Task<Judgment> JudgeWindowAsync(TextWindow window, int turn, Reading reading) =>
        reading.JudgePartAsync(PartOf(window, turn), TraceLevel.Brief);

    /// <summary>Judges an answer with the newest turns of its conversation that fit; null if the answer alone does not.</summary>
    public static async Task<Judgment?> JudgeWholeAsync(Conversation conversation, string response, TraceLevel level, Reading reading)
    {
        if (reading.Policy.CountTokens(new(Role.Assistant, response)) > reading.Policy.Room) return null;
        var fitting = Fitting(conversation, response, reading.Policy);
        var cut = conversation.Turns.Count + 1 - fitting.Turns.Count;
        return await reading.JudgePartAsync(new(fitting, [.. Enumerable.Range(cut, fitting.Turns.Count)]), level);
    }

    private static async Task<bool> IsRefusedWithoutAnswerAsync(Conversation conversation, Reading reading) =>
        Fitting(conversation, "", reading.Policy) is { Turns.Count: > 0 } question && (await reading.JudgeAsync(question, TraceLevel.Brief)).IsRefused();

    /// <summary>The newest turns that fit into one judgment; with an answer as their last turn if it is not empty.</summary>
    private static Conversation Fitting(Conversation conversation, string response, CompiledPolicy policy)
    {
        List<Turn> turns = response.Length > 0 ? [new(Role.Assistant, response)] : [];
        var used = turns.Sum(policy.CountTokens);
        foreach (var turn in conversation.Turns.Reverse())
        {
            used += policy.CountTokens(turn);
            if (used > policy.Room) break;
            turns.Insert(0, turn);
        }

        return new(turns, response.Length > 0 ? Subject.Response : Subject.Prompt);
    }

    private static Part PartOf(TextWindow window, int turn) => new(OfAnswer(window.Text), [turn], window.Start);

    private static Conversation OfAnswer(string text) => new([new Turn(Role.Assistant, text)], Subject.Response);
}
