using System.Runtime.InteropServices;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Decodes one sentence greedily: text tokens up to END, at least one that is not blank, at most <see cref="TraceFormat.MaxSentenceTokens"/>.</summary>
internal sealed class SentenceProgram(TraceTokens tokens, int[] start, Action written) : SequenceProgram
{
    private readonly List<int> _sentence = new(TraceFormat.MaxSentenceTokens);
    private bool _hasText, _isWritten;

    public override Chunk Start { get; } = Chunk.QueriedAtEnd(start);

    public override Growth Growth => new(TraceFormat.MaxSentenceTokens);

    /// <summary>The sentence, trimmed; null until it is written.</summary>
    public string? Text => _isWritten && _hasText ? tokens.Tokenizer.Decode(CollectionsMarshal.AsSpan(_sentence)).Trim() : null;

    public override Continuation Advance(LogitRows logits)
    {
        var token = tokens.Sentence.Likeliest(logits[0]);
        if (_hasText && logits[0][tokens.End] >= logits[0][token]) return End();
        _sentence.Add(token);
        _hasText |= tokens.Tokenizer.Bytes(token).ContainsAnyExcept((byte)' ');
        return _sentence.Count == TraceFormat.MaxSentenceTokens ? End() : Decode(token);
    }

    private Continuation End()
    {
        _isWritten = true;
        written();
        return Continuation.End;
    }
}
