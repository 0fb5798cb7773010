namespace SaferGuard.Reasoning.Tokens;

/// <summary>Byte-level BPE read from a Hugging Face <c>tokenizer.json</c>. Text never becomes a special token.</summary>
public sealed class GuardTokenizer
{
    /// <exception cref="InvalidDataException">The file is not a tokeniser that this class supports; the message says why.</exception>
    public static GuardTokenizer Load(string path) => throw new NotImplementedException();

    public int VocabularySize => throw new NotImplementedException();

    /// <summary>Id of a special token.</summary>
    /// <exception cref="KeyNotFoundException">The tokeniser has no such special token.</exception>
    public int SpecialId(string token) => throw new NotImplementedException();

    public bool IsSpecial(int id) => throw new NotImplementedException();

    /// <summary>Appends the tokens of <paramref name="text"/>; offsets are UTF-16 positions in it.</summary>
    public void Encode(string text, List<TokenSpan> tokens) => throw new NotImplementedException();

    /// <summary>The UTF-8 bytes that a token stands for; empty for special tokens.</summary>
    public ReadOnlySpan<byte> Bytes(int id) => throw new NotImplementedException();

    /// <summary>Text of a run of ordinary tokens; special tokens give nothing.</summary>
    public string Decode(ReadOnlySpan<int> ids) => throw new NotImplementedException();
}

/// <summary>A token and the part of the text, in UTF-16 offsets, that it covers. A token inside a character covers that character.</summary>
public readonly record struct TokenSpan(int Id, int Start, int End);
