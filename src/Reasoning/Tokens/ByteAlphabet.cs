using System.Collections.Frozen;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>
/// The printable character that stands for each byte in the vocabulary of a byte-level BPE: printable Latin-1 bytes stand for themselves, the
/// others get characters from U+0100 on, in order (so a space is 'Ġ').
/// </summary>
public static class ByteAlphabet
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly FrozenDictionary<char, byte> Values =
        Characters.Select((c, b) => (c, b)).ToFrozenDictionary(p => p.c, p => (byte)p.b);

    public static string ToToken(ReadOnlySpan<byte> bytes)
    {
        var token = new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) token[i] = Characters[bytes[i]];
        return new string(token);
    }

    /// <summary>The bytes that a token of the vocabulary stands for; false when it has a character outside the alphabet.</summary>
    public static bool TryToBytes(string token, out byte[] bytes)
    {
        bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            if (!Values.TryGetValue(token[i], out bytes[i])) return false;
        }

        return true;
    }

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        var next = (char)0x100;
        for (var b = 0; b < 256; b++) characters[b] = IsPrintable(b) ? (char)b : next++;
        return characters;
    }

    private static bool IsPrintable(int b) => b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
}
