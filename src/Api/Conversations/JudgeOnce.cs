using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>One judgment of the guard, under the policy and operating point of a request.</summary>
internal delegate Task<Judgment> JudgeOnce(
    Conversation conversation, TraceLevel level, Action<TraceStage>? decided, CancellationToken cancellation);
