using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>Cuts texts into windows as configured, and so that each fits into one judgment whatever is written in it.</summary>
internal sealed class TextWindows(WindowOptions options, Guard guard)
{
    /// <summary>What one character can cost: two UTF-16 units that NFC turns into three code points of four bytes, each byte a token.</summary>
    private const int MaxTokensPerCharacter = 6;

    private readonly int _characters = Math.Clamp(
        (guard.MaxPromptTokens - guard.CountTokens(new([new Turn(Role.Assistant, "")]))) / MaxTokensPerCharacter, 2, options.Characters);

    /// <summary>For text that is still to come.</summary>
    public HeldText Hold() => new(_characters, Math.Min(options.Overlap, _characters / 2));

    public IReadOnlyList<TextWindow> Of(string text) => HeldText.WindowsOf(text, _characters, Math.Min(options.Overlap, _characters / 2));
}
