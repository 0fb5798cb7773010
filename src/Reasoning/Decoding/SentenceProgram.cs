using System.Numerics.Tensors;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Decodes one sentence greedily: text tokens up to END, at least one that is not blank, at most <see cref="TraceFormat.MaxSentenceTokens"/>.</summary>
internal sealed class SentenceProgram(TraceTokens tokens, int[] start, Action written) : SequenceProgram
{
    private readonly List<int> _sentence = [];
    private readonly float[] _scores = new float[tokens.Text.Additive.Length];
    private bool _hasText, _isWritten;

    public override Chunk Start { get; } = Chunk.QueriedAtEnd(start);

    public override Growth Growth => new(TraceFormat.MaxSentenceTokens);

    /// <summary>The sentence, trimmed; null until it is written.</summary>
    public string? Text => _isWritten && _hasText ? tokens.Tokenizer.Decode(_sentence.ToArray()).Trim() : null;

    public override Continuation Advance(LogitRows logits)
    {
        TensorPrimitives.Add(logits[0][.._scores.Length], tokens.Text.Additive, _scores);
        var token = TensorPrimitives.IndexOfMax<float>(_scores);
        if (_hasText && logits[0][tokens.End] >= _scores[token]) return End();
        _sentence.Add(token);
        _hasText |= tokens.Tokenizer.Bytes(token).ContainsAnyExcept((byte)' ');
        return _sentence.Count == TraceFormat.MaxSentenceTokens ? End() : Continuation.Append(Chunk.QueriedAtEnd([token], chosen: 1));
    }

    private Continuation End()
    {
        _isWritten = true;
        written();
        return Continuation.End;
    }
}
