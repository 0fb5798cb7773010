using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>What an answer may consist of: any text, and the token that ends it.</summary>
internal sealed record AnswerTokens(GuardTokenizer Tokenizer, int End)
{
    public TokenMask Allowed { get; } = TokenMask.Answer(Tokenizer, End);
}
