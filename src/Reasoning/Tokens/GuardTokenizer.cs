using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Microsoft.ML.Tokenizers;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>Byte-level BPE read from a Hugging Face <c>tokenizer.json</c>. Text never becomes a special token. Thread-safe.</summary>
public sealed class GuardTokenizer
{
    private readonly BpeTokenizer _bpe;
    private readonly TextSplitter _splitter;
    private readonly FrozenDictionary<string, int> _special;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _wholePieces;

    /// <summary>By id; empty for special tokens.</summary>
    private readonly byte[][] _bytes;

    private GuardTokenizer(TokenizerFile file)
    {
        // Its cache of words is bounded: the first 10,000 of at most 15 bytes.
        _bpe = BpeTokenizer.Create(new BpeOptions(file.Vocabulary)
        {
            Merges = file.Merges.Select(m => $"{m.Left} {m.Right}"),
            ByteLevel = true,
        });
        _splitter = file.Splitter;
        _special = file.Special.ToFrozenDictionary(StringComparer.Ordinal);
        _bytes = new byte[file.Vocabulary.Count + file.Special.Count][];
        Array.Fill(_bytes, []);
        var wholePieces = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, id) in file.Vocabulary)
        {
            ByteAlphabet.TryToBytes(token, out _bytes[id]);
            if (file.PrefersWholePieces && Utf8.IsValid(_bytes[id])) wholePieces.Add(Encoding.UTF8.GetString(_bytes[id]), id);
        }

        _wholePieces = wholePieces.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <exception cref="InvalidDataException">The file is not a tokeniser that this class supports; the message says why.</exception>
    public static GuardTokenizer Load(string path) => new(TokenizerFile.Read(path));

    public int VocabularySize => _bytes.Length;

    public IReadOnlyCollection<string> SpecialTokens => _special.Keys;

    /// <summary>Id of a special token.</summary>
    /// <exception cref="KeyNotFoundException">The tokeniser has no such special token.</exception>
    public int SpecialId(string token) =>
        _special.TryGetValue(token, out var id) ? id : throw new KeyNotFoundException($"The tokeniser has no special token '{token}'.");

    /// <summary>Tokens of the trace format that the tokeniser lacks: a model that was not trained for traces has none of them.</summary>
    public IReadOnlyList<string> MissingTraceTokens => [.. TraceFormat.SpecialTokens.Where(t => !_special.ContainsKey(t))];

    public bool IsSpecial(int id) => _bytes[id].Length == 0;

    /// <summary>Appends the tokens of <paramref name="text"/>; offsets are UTF-16 positions in it.</summary>
    public void Encode(string text, List<TokenSpan> tokens)
    {
        text = WithoutLoneSurrogates(text);
        var ends = new List<int>();
        _splitter.Split(text, ends);
        var cursor = new ByteCursor(text);
        var start = 0;
        foreach (var end in ends)
        {
            var piece = text.AsSpan(start, end - start);
            if (_wholePieces.TryGetValue(piece, out var whole))
            {
                tokens.Add(cursor.Take(whole, _bytes[whole].Length));
            }
            else
            {
                foreach (var id in _bpe.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false))
                    tokens.Add(cursor.Take(id, _bytes[id].Length));
            }

            start = end;
        }
    }

    /// <summary>The UTF-8 bytes that a token stands for; empty for special tokens.</summary>
    public ReadOnlySpan<byte> Bytes(int id) => _bytes[id];

    /// <summary>Text of a run of ordinary tokens; special tokens give nothing.</summary>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>();
        foreach (var id in ids) bytes.AddRange(_bytes[id].AsSpan());
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>The text as UTF-8 can say it: each lone surrogate becomes U+FFFD, which is as long in UTF-16.</summary>
    private static string WithoutLoneSurrogates(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) return text;
        return string.Create(text.Length, text, static (characters, text) =>
        {
            text.CopyTo(characters);
            for (var i = 0; i < characters.Length; i++)
            {
                if (!char.IsSurrogate(characters[i])) continue;
                if (i + 1 < characters.Length && char.IsSurrogatePair(characters[i], characters[i + 1])) i++;
                else characters[i] = '\uFFFD';
            }
        });
    }

    /// <summary>Walks through the UTF-8 bytes of a text and knows the UTF-16 offsets of the characters that they belong to.</summary>
    private struct ByteCursor(string text)
    {
        private int _character, _bytesTaken;

        /// <summary>The next token and the characters that its bytes touch.</summary>
        public TokenSpan Take(int id, int byteCount)
        {
            var (start, end) = (_character, _character);
            while (byteCount > 0)
            {
                var rune = Rune.GetRuneAt(text, _character);
                var taken = Math.Min(byteCount, rune.Utf8SequenceLength - _bytesTaken);
                end = _character + rune.Utf16SequenceLength;
                byteCount -= taken;
                _bytesTaken += taken;
                if (_bytesTaken < rune.Utf8SequenceLength) break;
                (_character, _bytesTaken) = (end, 0);
            }

            return new TokenSpan(id, start, end);
        }
    }
}

/// <summary>A token and the part of the text, in UTF-16 offsets, that it covers. A token inside a character covers that character.</summary>
public readonly record struct TokenSpan(int Id, int Start, int End);
