using SaferGuard.Api.Completions;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Answers;

/// <summary>Who can write an answer to what was not refused: the model that judges, or a model behind the service.</summary>
internal interface IAnswerSource
{
    OutputSource Kind { get; }

    /// <summary>Begins an answer. Nothing of it has been judged.</summary>
    Task<IAnswer> OpenAsync(AnswerRequest request, CancellationToken cancellation);
}

/// <summary>What is to be answered.</summary>
/// <param name="Model">The source's name of the model that is to answer.</param>
/// <param name="Conversation">Without the turns that are withheld.</param>
/// <param name="Turns">Where its turns stand in the conversation of the request; behind them the answer, as the last one of all.</param>
/// <param name="Judgment">Null if the prompt was let pass unjudged.</param>
/// <param name="Streams">The caller wants the text as it comes.</param>
/// <param name="Arrived">Told of each piece of the answer when it comes from its source, before it is judged.</param>
internal sealed record AnswerRequest(
    CompleteRequest Completion, string Model, Conversation Conversation, IReadOnlyList<int> Turns, Policy Policy, Judgment? Judgment, bool Streams, Action<string> Arrived);

/// <summary>An answer while it is written. Disposing it tells its source to stop.</summary>
internal interface IAnswer : IAsyncDisposable
{
    /// <summary>The pieces of the text, once.</summary>
    IAsyncEnumerable<string> ReadAsync(CancellationToken cancellation);

    /// <summary>How it ended; known when all has been read.</summary>
    AnswerEnd? End { get; }
}

/// <param name="Usage">What the answer cost at its source; null if the source does not say.</param>
internal sealed record AnswerEnd(FinishReason Reason, AnswerUsageBody? Usage);
