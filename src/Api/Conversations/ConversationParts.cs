using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>
/// What the turns of a conversation are to its request. The request is open from the last run of user turns on: what the assistant and tools have
/// done for it since belongs to it. What lies before are exchanges that have ended; system turns stand over all.
/// </summary>
/// <param name="System">Indices of turns, as in the others.</param>
/// <param name="Exchanges">From the oldest on: user turns with all that follows up to the next user turn.</param>
internal sealed record ConversationParts(IReadOnlyList<int> System, IReadOnlyList<IReadOnlyList<int>> Exchanges, IReadOnlyList<int> Open)
{
    public static ConversationParts Of(Conversation conversation)
    {
        var system = new List<int>();
        var runs = new List<List<int>>();
        Role? previous = null;
        for (var turn = 0; turn < conversation.Turns.Count; turn++)
        {
            var role = conversation.Turns[turn].Role;
            if (role == Role.System)
            {
                system.Add(turn);
                continue;
            }

            if (runs.Count == 0 || (role == Role.User && previous != Role.User)) runs.Add([]);
            runs[^1].Add(turn);
            previous = role;
        }

        return new(system, [.. runs.SkipLast(1)], runs.Count == 0 ? [] : runs[^1]);
    }
}
