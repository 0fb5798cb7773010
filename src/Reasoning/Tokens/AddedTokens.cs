using System.Buffers;
using System.Collections.Frozen;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>Tokens that are found in a text before anything else is done with it: the first one, and of several at one place the longest.</summary>
internal sealed class AddedTokens
{
    private readonly SearchValues<string> _any;
    private readonly int[] _lengths;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;

    public AddedTokens(IReadOnlyDictionary<string, int> tokens)
    {
        _any = SearchValues.Create([.. tokens.Keys], StringComparison.Ordinal);
        _lengths = [.. tokens.Keys.Select(t => t.Length).Distinct().OrderDescending()];
        _ids = tokens.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Cuts a text into tokens of this kind and what lies between them, which has the id -1.</summary>
    public IEnumerable<TokenSpan> Split(string text)
    {
        var done = 0;
        while (done < text.Length)
        {
            var (start, length, id) = Find(text, done);
            if (start > done) yield return new TokenSpan(-1, done, start);
            if (length > 0) yield return new TokenSpan(id, start, start + length);
            done = start + length;
        }
    }

    /// <summary>The next token; without one, the end of the text.</summary>
    private (int Start, int Length, int Id) Find(string text, int from)
    {
        var start = text.AsSpan(from).IndexOfAny(_any) is var index and >= 0 ? from + index : text.Length;
        foreach (var length in _lengths)
        {
            if (length <= text.Length - start && _ids.TryGetValue(text.AsSpan(start, length), out var id)) return (start, length, id);
        }

        return (text.Length, 0, -1);
    }
}
