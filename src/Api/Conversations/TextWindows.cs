using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Api.Conversations;

/// <summary>Cuts texts into windows as configured, and so that each fits into one judgment whatever is written in it.</summary>
internal sealed class TextWindows(WindowOptions options)
{
    /// <summary>What one UTF-16 unit can cost: half of a character that NFC turns into three code points of four bytes, each byte a token.</summary>
    private const int MaxTokensPerUnit = 6;

    /// <summary>For text that is still to come.</summary>
    public HeldText Hold(CompiledPolicy policy)
    {
        var characters = Math.Clamp(policy.Room / MaxTokensPerUnit, 2, options.Characters);
        return new(characters, Math.Min(options.Overlap, characters / 2));
    }

    public IReadOnlyList<TextWindow> Of(string text, CompiledPolicy policy) => Hold(policy).AllOf(text);
}
