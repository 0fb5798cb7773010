using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning;

/// <summary>
/// How a model is asked to answer a conversation, and how it ends its answer: as its chat template says, or with the markers of the trace format
/// where the bundle has no template.
/// </summary>
internal sealed class AnswerFormat(ModelBundle bundle, TraceTokens trace)
{
    private readonly ChatEncoder _encoder = new(bundle.Tokenizer);

    public AnswerTokens Tokens { get; } =
        new(bundle.Tokenizer, bundle.ChatTemplate?.EndToken is { } end ? bundle.Tokenizer.SpecialId(end) : trace.End);

    /// <summary>The conversation, up to where the answer begins.</summary>
    /// <exception cref="TemplateException">The model's template does not accept the conversation.</exception>
    public int[] Start(Conversation conversation)
    {
        if (bundle.ChatTemplate is { } template) return _encoder.Encode(template.Render(conversation, addGenerationPrompt: true));
        return [.. trace.Template.Render(conversation).Select(t => t.Id), bundle.Tokenizer.SpecialId(TraceFormat.Assistant)];
    }
}
