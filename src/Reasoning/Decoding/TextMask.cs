using System.Text;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>
/// The tokens that a sentence may consist of: printable text, whole characters, no special tokens. Then whatever is decoded is valid text and
/// parses. Added to logits before the choice: 0 where allowed, minus infinity elsewhere.
/// </summary>
internal sealed class TextMask
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public TextMask(Tokens.GuardTokenizer tokenizer)
    {
        Additive = new float[tokenizer.VocabularySize];
        for (var id = 0; id < Additive.Length; id++)
        {
            if (!IsText(tokenizer.Bytes(id))) Additive[id] = float.NegativeInfinity;
        }
    }

    /// <summary>(vocabulary)</summary>
    public float[] Additive { get; }

    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return false;
        try
        {
            return !Strict.GetString(bytes).Any(char.IsControl);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
