using System.Runtime.InteropServices;
using System.Text;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Training.Tokenizers;

/// <summary>
/// Learns a byte-level BPE: the most frequent pair of neighbouring tokens becomes a token, again and again. Deterministic: of equally frequent
/// pairs the one with the lower ids is merged first. Ids: special tokens, then the 256 bytes, then merges.
/// </summary>
public sealed class BpeTrainer
{
    /// <summary>A pair that occurs once teaches nothing.</summary>
    private const long MinimumCount = 2;

    private readonly IReadOnlyList<string> _special;
    private readonly List<string> _tokens;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<(int Left, int Right), int> _merges = [];
    private readonly List<(int[] Tokens, long Count)> _words = [];

    /// <summary>How often each pair occurs in the text.</summary>
    private readonly Dictionary<(int Left, int Right), long> _counts = [];

    /// <summary>Indexes of the words in which a pair occurs or once occurred.</summary>
    private readonly Dictionary<(int Left, int Right), List<int>> _wordsOf = [];

    /// <summary>Candidates, best first. Counts are those of the time of entry and may have fallen since.</summary>
    private readonly PriorityQueue<(int Left, int Right), (long NegativeCount, int Left, int Right)> _queue = new();

    private BpeTrainer(IReadOnlyList<string> specialTokens)
    {
        _special = specialTokens;
        _tokens = [.. specialTokens, .. Enumerable.Range(0, 256).Select(b => ByteAlphabet.ToToken([(byte)b]))];
        for (var id = 0; id < _tokens.Count; id++)
        {
            if (!_ids.TryAdd(_tokens[id], id)) throw new ArgumentException($"Special token '{_tokens[id]}' is a byte or appears twice.");
        }
    }

    /// <param name="vocabularySize">Tokens to have at the end, special tokens and bytes included; a small text may give fewer.</param>
    /// <param name="progress">Told the number of tokens after each merge.</param>
    public static TrainedTokenizer Train(
        IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string> specialTokens, IProgress<int>? progress = null)
    {
        var trainer = new BpeTrainer(specialTokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, trainer._tokens.Count);
        trainer.Count(texts);
        while (trainer._tokens.Count < vocabularySize && trainer.TryTakeBest(out var pair))
        {
            trainer.Merge(pair);
            progress?.Report(trainer._tokens.Count);
        }

        return new TrainedTokenizer(specialTokens, trainer._tokens, [.. trainer._merges.Keys]);
    }

    private void Count(IEnumerable<string> texts)
    {
        var pieces = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        var ends = new List<int>();
        foreach (var text in texts)
        {
            ends.Clear();
            TextSplitter.Gpt2.Split(text, ends);
            var start = 0;
            foreach (var end in ends)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, text.AsSpan(start, end - start), out _)++;
                start = end;
            }
        }

        foreach (var (piece, count) in pieces)
        {
            var word = Encoding.UTF8.GetBytes(piece).Select(b => _special.Count + b).ToArray();
            for (var i = 1; i < word.Length; i++)
            {
                AddCount((word[i - 1], word[i]), count);
                AddWord((word[i - 1], word[i]), _words.Count);
            }

            _words.Add((word, count));
        }

        foreach (var pair in _counts.Keys) Enqueue(pair);
    }

    private bool TryTakeBest(out (int Left, int Right) pair)
    {
        while (_queue.TryDequeue(out pair, out var priority))
        {
            var count = _counts[pair];
            if (count < MinimumCount || _special.Contains(_tokens[pair.Left] + _tokens[pair.Right])) continue;
            if (count == -priority.NegativeCount) return true;
            Enqueue(pair);
        }

        return false;
    }

    private void Merge((int Left, int Right) pair)
    {
        // Two pairs may spell the same token: it keeps its first id, and a pair with it may become frequent again after it was merged.
        var text = _tokens[pair.Left] + _tokens[pair.Right];
        if (!_ids.TryGetValue(text, out var merged))
        {
            merged = _tokens.Count;
            _tokens.Add(text);
            _ids.Add(text, merged);
        }

        _merges.TryAdd(pair, merged);
        var changed = new HashSet<(int Left, int Right)>();
        foreach (var index in _wordsOf[pair])
        {
            var (word, count) = _words[index];
            var shorter = Replace(word, pair, merged);
            if (shorter.Length == word.Length) continue;
            for (var i = 1; i < word.Length; i++) AddCount((word[i - 1], word[i]), -count);
            for (var i = 1; i < shorter.Length; i++)
            {
                AddCount((shorter[i - 1], shorter[i]), count);
                if (shorter[i - 1] != merged && shorter[i] != merged) continue;
                AddWord((shorter[i - 1], shorter[i]), index);
                changed.Add((shorter[i - 1], shorter[i]));
            }

            _words[index] = (shorter, count);
        }

        _wordsOf.Remove(pair);
        foreach (var neighbour in changed) Enqueue(neighbour);
    }

    private static int[] Replace(int[] word, (int Left, int Right) pair, int merged)
    {
        var result = new int[word.Length];
        var length = 0;
        for (var i = 0; i < word.Length; i++)
        {
            var matches = i + 1 < word.Length && word[i] == pair.Left && word[i + 1] == pair.Right;
            result[length++] = matches ? merged : word[i];
            if (matches) i++;
        }

        return length == word.Length ? word : result[..length];
    }

    private void AddCount((int Left, int Right) pair, long count) => CollectionsMarshal.GetValueRefOrAddDefault(_counts, pair, out _) += count;

    private void AddWord((int Left, int Right) pair, int word)
    {
        ref var words = ref CollectionsMarshal.GetValueRefOrAddDefault(_wordsOf, pair, out _);
        words ??= [];
        if (words.Count == 0 || words[^1] != word) words.Add(word);
    }

    private void Enqueue((int Left, int Right) pair) => _queue.Enqueue(pair, (-_counts[pair], pair.Left, pair.Right));
}
