using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>One judgment of the guard, on the terms of a request.</summary>
internal delegate Task<Judgment> JudgeOnce(
    Conversation conversation, TraceLevel level, Action<TraceStage>? decided, CancellationToken cancellation);

/// <summary>What the parts of a request are judged by: a policy, which says how much can be read at a time, and the guard.</summary>
internal sealed record Bench(CompiledPolicy Policy, JudgeOnce Once);
