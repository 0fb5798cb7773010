using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>A token of a rendered conversation: where it comes from, or turn -1 for a marker.</summary>
public readonly record struct PromptToken(int Id, int Turn, int Start, int End);

/// <summary>Renders a conversation as tokens, the same in training and serving: each turn is its role marker followed by its text.</summary>
/// <param name="policy">
/// For models that read rules: the policy's categories stand before every conversation, as a system text. It is the same for all, so that the prefix
/// cache holds it.
/// </param>
public sealed class PromptTemplate(GuardTokenizer tokenizer, Policy? policy = null)
{
    private readonly PromptToken[] _policy = policy is null ? [] : RenderPolicy(tokenizer, policy);

    /// <summary>Tokens of the policy, before any conversation.</summary>
    public int PolicyTokens => _policy.Length;

    public PromptToken[] Render(Conversation conversation)
    {
        var prompt = new List<PromptToken>(_policy);
        var spans = new List<TokenSpan>();
        for (var turn = 0; turn < conversation.Turns.Count; turn++)
        {
            prompt.Add(Marker(tokenizer, conversation.Turns[turn].Role));
            spans.Clear();
            tokenizer.Encode(conversation.Turns[turn].Content, spans);
            foreach (var span in spans) prompt.Add(new PromptToken(span.Id, turn, span.Start, span.End));
        }

        return [.. prompt];
    }

    /// <summary>No part of it can be evidence: it is of no turn.</summary>
    private static PromptToken[] RenderPolicy(GuardTokenizer tokenizer, Policy policy)
    {
        var spans = new List<TokenSpan>();
        tokenizer.Encode(string.Join('\n', policy.Categories.Select(c => $"{c.Id} {c.Name}: {c.Objective}")), spans);
        return [Marker(tokenizer, Role.System), .. spans.Select(s => new PromptToken(s.Id, -1, 0, 0))];
    }

    private static PromptToken Marker(GuardTokenizer tokenizer, Role role) => new(tokenizer.SpecialId(TraceFormat.Token(role)), -1, 0, 0);
}
