using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>A token of a rendered conversation: where it comes from, or turn -1 for a marker.</summary>
public readonly record struct PromptToken(int Id, int Turn, int Start, int End);

/// <summary>Renders a conversation as tokens, the same in training and serving: each turn is its role marker followed by its text.</summary>
public sealed class PromptTemplate(GuardTokenizer tokenizer)
{
    public PromptToken[] Render(Conversation conversation)
    {
        var prompt = new List<PromptToken>();
        var spans = new List<TokenSpan>();
        for (var turn = 0; turn < conversation.Turns.Count; turn++)
        {
            prompt.Add(new PromptToken(tokenizer.SpecialId(TraceFormat.Token(conversation.Turns[turn].Role)), -1, 0, 0));
            spans.Clear();
            tokenizer.Encode(conversation.Turns[turn].Content, spans);
            foreach (var span in spans) prompt.Add(new PromptToken(span.Id, turn, span.Start, span.End));
        }

        return [.. prompt];
    }
}
