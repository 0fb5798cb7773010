using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>What was found about a conversation of several turns.</summary>
/// <param name="Decides">The turn that the decision is about.</param>
/// <param name="Withheld">Turns of exchanges that are refused but over: they count no more and are not forwarded, so that nothing can refer to them.</param>
/// <param name="Apart">Turns that were judged, but not together with the request, because all together are too long for the model.</param>
internal sealed record TurnFindings(int Decides, IReadOnlyList<int> Withheld, IReadOnlyList<int> Apart);

/// <param name="Read">The part of the conversation that the judgment is about.</param>
/// <param name="Turns">Null for a conversation of one turn.</param>
internal sealed record ConversationJudgment(Judgment Judgment, Conversation Read, TurnFindings? Turns);

/// <summary>
/// Judges whole conversations. Every turn is judged by itself, so that none hides among others, and the open request is judged once more with all
/// that came before it and is not refused. A refusal of an exchange that is over does not stand against a new request: such exchanges are withheld.
/// </summary>
internal sealed class ConversationJudge(TextWindows windows, WindowOptions options)
{
    /// <exception cref="PromptTooLongException">The open request, or the conversation as a whole, is too long.</exception>
    public async Task<ConversationJudgment> JudgeAsync(
        Conversation conversation, TraceLevel level, Action<TraceStage>? decided, Bench bench, CancellationToken cancellation)
    {
        if (conversation.Turns.Count == 1) return new(await bench.Once(conversation, level, decided, cancellation), conversation, null);
        using var reading = new Reading(bench, options.MaxParallel, cancellation);
        return await new Hearing(conversation, level, decided, reading, windows, options.MaxTokens).JudgeAsync();
    }
}
