using System.Numerics.Tensors;
using System.Text;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>The tokens that may be chosen. Chooses among them without allocating anything.</summary>
public sealed class TokenMask
{
    private const int Stretch = 512; // logits that are masked at a time, on the stack

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly float[] _additive; // (tokens of the tokeniser): 0 where allowed, minus infinity elsewhere

    private TokenMask(GuardTokenizer tokenizer, Func<int, bool> allows)
    {
        _additive = new float[tokenizer.VocabularySize];
        for (var id = 0; id < _additive.Length; id++)
        {
            if (!allows(id)) _additive[id] = float.NegativeInfinity;
        }
    }

    /// <summary>
    /// What a sentence may consist of: printable text, whole characters, no special tokens. Then whatever is decoded is valid text and parses.
    /// </summary>
    public static TokenMask Sentence(GuardTokenizer tokenizer) => new(tokenizer, id => IsText(tokenizer.Bytes(id)));

    /// <summary>What a sentence may go on with once it has text: <see cref="Sentence"/>, and the token that ends it.</summary>
    public static TokenMask SentenceOrEnd(GuardTokenizer tokenizer, int end) => new(tokenizer, id => id == end || IsText(tokenizer.Bytes(id)));

    /// <summary>What an answer may consist of: any text, and the token that ends it.</summary>
    public static TokenMask Answer(GuardTokenizer tokenizer, int end) => new(tokenizer, id => id == end || !tokenizer.IsSpecial(id));

    /// <summary>The allowed token with the highest logit.</summary>
    /// <exception cref="NotFiniteNumberException">No logit is a number.</exception>
    public int Likeliest(ReadOnlySpan<float> logits)
    {
        Span<float> masked = stackalloc float[Stretch];
        var (best, highest) = (-1, float.NegativeInfinity);
        for (var start = 0; start < _additive.Length; start += Stretch)
        {
            var stretch = Mask(logits, start, masked);
            var likeliest = TensorPrimitives.IndexOfMax<float>(stretch);
            if (stretch[likeliest] > highest) (best, highest) = (start + likeliest, stretch[likeliest]);
        }

        return best >= 0 ? best : throw new NotFiniteNumberException("The model's logits are not numbers.");
    }

    /// <summary>An allowed token, drawn by the probabilities of the logits at a temperature above 0.</summary>
    /// <param name="draw">A uniform number from 0 to 1: equal draws give equal tokens.</param>
    public int Sample(ReadOnlySpan<float> logits, double temperature, double draw)
    {
        var likeliest = Likeliest(logits);
        Span<float> weights = stackalloc float[Stretch];
        double total = 0;
        for (var start = 0; start < _additive.Length; start += Stretch) total += TensorPrimitives.Sum<float>(Weights(start, logits, weights));

        var left = draw * total;
        for (var start = 0; start < _additive.Length; start += Stretch)
        {
            var stretch = Weights(start, logits, weights);
            for (var i = 0; i < stretch.Length; i++)
            {
                left -= stretch[i];
                if (left <= 0 && stretch[i] > 0) return start + i;
            }
        }

        return likeliest;

        // e^((logit - highest) / temperature): none overflows.
        ReadOnlySpan<float> Weights(int start, ReadOnlySpan<float> logits, Span<float> buffer)
        {
            var stretch = Mask(logits, start, buffer);
            TensorPrimitives.Subtract(stretch, logits[likeliest], stretch);
            TensorPrimitives.Divide(stretch, (float)temperature, stretch);
            TensorPrimitives.Exp<float>(stretch, stretch);
            return stretch;
        }
    }

    private Span<float> Mask(ReadOnlySpan<float> logits, int start, Span<float> buffer)
    {
        var stretch = buffer[..Math.Min(Stretch, _additive.Length - start)];
        TensorPrimitives.Add(logits.Slice(start, stretch.Length), _additive.AsSpan(start, stretch.Length), stretch);
        return stretch;
    }

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
