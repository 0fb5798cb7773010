using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>
/// Hashed word n-grams that end at each token: order 1 is the current word so far, order 2 the word before it and the current word so far, and
/// so on. Words are folded to lower case and digits to 0. They depend on nothing to their right, so that they can be computed token by token.
/// The same ids feed training (TorchSharp) and serving (ONNX input <c>ngram_ids</c>).
/// </summary>
public sealed class WordNgrams(GuardTokenizer tokenizer, NgramConfig config)
{
    private const ulong Seed = 0xcbf29ce484222325;
    private const ulong Prime = 0x100000001b3;

    private readonly Piece[] _pieces = [.. Enumerable.Range(0, tokenizer.VocabularySize).Select(id => Fold(tokenizer.Bytes(id)))];

    public int Orders => config.Orders;

    /// <summary>What has to be remembered between tokens: hashes of the current word so far and of the words before it.</summary>
    public struct State
    {
        internal ulong Current, Previous, Before, Earlier;
        internal bool InWord;
    }

    /// <summary>Writes the bucket of every order for one token: <paramref name="buckets"/> has <see cref="Orders"/> elements, 0 means none.</summary>
    public void Next(ref State state, int token, Span<long> buckets)
    {
        var piece = _pieces[token];
        buckets.Clear();
        if (piece.IsSpecial)
        {
            state = default;
            return;
        }

        if (piece.IsBlank)
        {
            state.InWord = false;
            return;
        }

        if (state.InWord && piece.ContinuesWord)
        {
            state.Current = Mix(state.Current, piece.Hash);
        }
        else
        {
            (state.Earlier, state.Before, state.Previous, state.Current) =
                (state.Before, state.Previous, state.Current, Mix(Seed, piece.Hash));
        }

        state.InWord = piece.EndsInWord;
        ReadOnlySpan<ulong> words = [state.Current, state.Previous, state.Before, state.Earlier];
        var hash = Seed;
        for (var order = 0; order < buckets.Length; order++)
        {
            if (words[order] == 0) break;
            hash = Mix(hash, words[order]);
            buckets[order] = 1 + (long)(Finish(hash + (ulong)order) % (ulong)(config.Buckets - 1));
        }
    }

    /// <summary>Buckets of a whole sequence, row-major (tokens, orders).</summary>
    public long[] Of(ReadOnlySpan<int> tokens)
    {
        var buckets = new long[tokens.Length * Orders];
        State state = default;
        for (var i = 0; i < tokens.Length; i++) Next(ref state, tokens[i], buckets.AsSpan(i * Orders, Orders));
        return buckets;
    }

    private static Piece Fold(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return new Piece(0, IsSpecial: true, false, false, false);
        var word = bytes.Trim(" \t\r\n"u8);
        if (word.IsEmpty) return new Piece(0, false, IsBlank: true, false, false);
        var hash = Seed;
        foreach (var b in word)
        {
            var folded = b is >= (byte)'A' and <= (byte)'Z' ? b + 32 : b is >= (byte)'0' and <= (byte)'9' ? '0' : b;
            hash = (hash ^ (ulong)folded) * Prime;
        }

        return new Piece(hash, false, false, ContinuesWord: IsWordByte(bytes[0]), EndsInWord: IsWordByte(bytes[^1]));
    }

    private static bool IsWordByte(byte b) => b >= 0x80 || char.IsAsciiLetterOrDigit((char)b) || b is (byte)'\'' or (byte)'_';

    private static ulong Mix(ulong hash, ulong value) => Finish((hash ^ value) * Prime);

    /// <summary>The finaliser of SplitMix64.</summary>
    private static ulong Finish(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    private readonly record struct Piece(ulong Hash, bool IsSpecial, bool IsBlank, bool ContinuesWord, bool EndsInWord);
}
