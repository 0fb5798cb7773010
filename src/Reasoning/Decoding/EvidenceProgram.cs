using System.Runtime.InteropServices;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>
/// Decodes an evidence span that can only be verbatim: it follows every run of prompt tokens that matches what was chosen so far, within one
/// turn and from word to word.
/// </summary>
internal sealed class EvidenceProgram : SequenceProgram
{
    /// <summary>A span ends at a character, so that it may be a few tokens longer than a sentence.</summary>
    public const int MaxTokens = TraceFormat.MaxSentenceTokens + 3;

    /// <summary>Tokens of a span, where the turn has as many: a word alone says little.</summary>
    private const int MinTokens = 3;

    private readonly TraceTokens _tokens;
    private readonly Conversation _conversation;
    private readonly PromptToken[] _prompt;

    /// <summary>Prompt positions of the token that may come next.</summary>
    private readonly List<int> _candidates;
    private readonly Action _written;
    private int _length;
    private bool _canEnd;

    /// <summary>The longest part of what was chosen that may stand as evidence: first and last prompt position.</summary>
    private (int First, int Last)? _span;
    private bool _isWritten;

    public EvidenceProgram(TraceTokens tokens, int[] start, Conversation conversation, PromptToken[] prompt, Action written)
    {
        (_tokens, _conversation, _prompt, _written) = (tokens, conversation, prompt, written);
        Start = Chunk.QueriedAtEnd(start);
        _candidates = [.. Enumerable.Range(0, prompt.Length).Where(CanStart)];
    }

    public override Chunk Start { get; }

    public override Growth Growth => new(MaxTokens);

    public bool HasCandidates => _candidates.Count > 0;

    /// <summary>Null until the span is written.</summary>
    public Evidence? Evidence
    {
        get
        {
            if (!_isWritten || _span is not { } span) return null;
            var (first, last) = (_prompt[span.First], _prompt[span.Last]);
            return Evidence.Locate(_conversation, _conversation.Turns[first.Turn].Content[first.Start..last.End].Trim());
        }
    }

    public override Continuation Advance(LogitRows logits)
    {
        var scores = logits[0];
        var best = -1;
        foreach (var position in _candidates)
        {
            if (best < 0 || scores[_prompt[position].Id] > scores[_prompt[best].Id]) best = position;
        }

        if (best < 0 || (_canEnd && scores[_tokens.End] >= scores[_prompt[best].Id])) return End();

        var token = _prompt[best].Id;
        var first = FollowMatches(token);
        _length++;
        _canEnd = CanEnd(first);
        if (_canEnd) _span = (first - _length + 1, first);

        // Tokens may straddle characters for as long as a prompt likes: then the span ends at the last character that it reached whole, if any.
        return _length == MaxTokens || (_length >= TraceFormat.MaxSentenceTokens && _canEnd)
            ? End()
            : Decode(token);
    }

    /// <summary>Replaces the candidates by the positions behind those that match; returns the first match.</summary>
    private int FollowMatches(int token)
    {
        var (first, kept) = (-1, 0);
        foreach (var position in CollectionsMarshal.AsSpan(_candidates))
        {
            if (_prompt[position].Id != token) continue;
            if (first < 0) first = position;
            if (position + 1 < _prompt.Length && _prompt[position + 1].Turn >= 0) _candidates[kept++] = position + 1;
        }

        _candidates.RemoveRange(kept, _candidates.Count - kept);
        return first;
    }

    private Continuation End()
    {
        _isWritten = true;
        _written();
        return Continuation.End;
    }

    private bool CanStart(int position)
    {
        var token = _prompt[position];
        return token.Turn >= 0
            && (position == 0 || _prompt[position - 1].Turn != token.Turn || _prompt[position - 1].End <= token.Start)
            && IsWordBoundary(_conversation.Turns[token.Turn].Content, token.Start)
            && !_conversation.Turns[token.Turn].Content.AsSpan(token.Start, token.End - token.Start).IsWhiteSpace();
    }

    /// <summary>At the end of the turn always; otherwise behind a word, or, once the span is long, behind any character.</summary>
    private bool CanEnd(int position)
    {
        var token = _prompt[position];
        if (position + 1 == _prompt.Length || _prompt[position + 1].Turn != token.Turn) return true;
        if (_prompt[position + 1].Start < token.End) return false;
        return _length >= TraceFormat.MaxSentenceTokens
            || (_length >= MinTokens && IsWordBoundary(_conversation.Turns[token.Turn].Content, token.End));
    }

    /// <summary>Scripts that do not part words (Unicode's "other letters") have a boundary at every character.</summary>
    private static bool IsWordBoundary(string text, int offset) =>
        offset == 0 || offset == text.Length || !IsWordCharacter(text[offset - 1]) || !IsWordCharacter(text[offset]);

    private static bool IsWordCharacter(char c) =>
        char.IsLetterOrDigit(c) && char.GetUnicodeCategory(c) != System.Globalization.UnicodeCategory.OtherLetter;
}
