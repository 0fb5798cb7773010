using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Microsoft.ML.Tokenizers;
using SaferGuard.Reasoning.Tokens.Unicode;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>Byte-level BPE read from a Hugging Face <c>tokenizer.json</c>. Text never becomes a special token. Thread-safe.</summary>
public sealed class GuardTokenizer
{
    private readonly BpeTokenizer _bpe;
    private readonly TextSplitter _splitter;
    private readonly AddedTokens _added;
    private readonly AddedTokens _addedNormalized;
    private readonly bool _composesText;
    private readonly FrozenDictionary<string, int> _special;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _wholePieces;

    /// <summary>By id; empty for special tokens and for ids without a token.</summary>
    private readonly byte[][] _bytes;

    /// <summary>By byte; the others vanish.</summary>
    private readonly bool[] _hasToken = new bool[256];

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
        _added = new AddedTokens(file.Added);
        _addedNormalized = new AddedTokens(file.AddedNormalized);
        _composesText = file.ComposesText;
        IReadOnlyDictionary<string, int>[] added = [file.Added, file.AddedNormalized];
        _bytes = new byte[1 + added.Append(file.Special).Append(file.Vocabulary).SelectMany(t => t.Values).Max()][];
        Array.Fill(_bytes, []);
        var wholePieces = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, id) in file.Vocabulary)
        {
            ByteAlphabet.TryToBytes(token, out _bytes[id]);
            if (_bytes[id] is [var single]) _hasToken[single] = true;
            if (file.PrefersWholePieces && Utf8.IsValid(_bytes[id])) wholePieces.Add(Encoding.UTF8.GetString(_bytes[id]), id);
        }

        foreach (var (token, id) in added.SelectMany(t => t)) _bytes[id] = Encoding.UTF8.GetBytes(token);
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

    /// <summary>Appends the tokens of <paramref name="text"/>; offsets are UTF-16 positions in it, even where other text was tokenised for it.</summary>
    public void Encode(string text, List<TokenSpan> tokens)
    {
        text = WithoutLoneSurrogates(text);
        foreach (var part in _added.Split(text))
        {
            if (part.Id >= 0) tokens.Add(part);
            else EncodePart(text[part.Start..part.End], part.Start, tokens);
        }
    }

    /// <param name="offset">Where the part starts in the text.</param>
    private void EncodePart(string part, int offset, List<TokenSpan> tokens)
    {
        var normalized = _composesText ? Nfc.Compose(part) : new NormalizedText(part);
        var first = tokens.Count;
        foreach (var run in _addedNormalized.Split(normalized.Text))
        {
            if (run.Id >= 0) tokens.Add(run);
            else EncodeRun(normalized.Text[run.Start..run.End], run.Start, tokens);
        }

        if (offset == 0 && normalized.Sources is null) return;
        for (var i = first; i < tokens.Count; i++)
        {
            var (start, end) = normalized.SourceOf(tokens[i].Start, tokens[i].End);
            tokens[i] = tokens[i] with { Start = offset + start, End = offset + end };
        }
    }

    private void EncodeRun(string run, int offset, List<TokenSpan> tokens)
    {
        var ends = new List<int>();
        _splitter.Split(run, ends);
        var start = 0;
        foreach (var end in ends)
        {
            var piece = run.AsSpan(start, end - start);
            if (_wholePieces.TryGetValue(piece, out var whole))
            {
                tokens.Add(new TokenSpan(whole, offset + start, offset + end));
            }
            else
            {
                var cursor = new ByteCursor(run, start, _hasToken);
                foreach (var id in _bpe.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false))
                {
                    var span = cursor.Take(id, _bytes[id].Length);
                    tokens.Add(span with { Start = offset + span.Start, End = offset + span.End });
                }
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

    /// <summary>Walks through the UTF-8 bytes of a text that have tokens and knows the UTF-16 offsets of the characters that they belong to.</summary>
    private struct ByteCursor(string text, int character, bool[] hasToken)
    {
        private int _character = character, _bytesTaken;

        /// <summary>The next token and the characters that its bytes touch.</summary>
        public TokenSpan Take(int id, int byteCount)
        {
            int start = -1, end = _character;
            Span<byte> bytes = stackalloc byte[4];
            while (byteCount > 0)
            {
                var rune = Rune.GetRuneAt(text, _character);
                rune.EncodeToUtf8(bytes);
                if (hasToken[bytes[_bytesTaken]])
                {
                    byteCount--;
                    if (start < 0) start = _character;
                    end = _character + rune.Utf16SequenceLength;
                }

                if (++_bytesTaken < rune.Utf8SequenceLength) continue;
                _character += rune.Utf16SequenceLength;
                _bytesTaken = 0;
            }

            return new TokenSpan(id, start, end);
        }
    }
}

/// <summary>A token and the part of the text, in UTF-16 offsets, that it covers. A token inside a character covers that character.</summary>
public readonly record struct TokenSpan(int Id, int Start, int End);
