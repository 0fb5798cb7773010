using System.Numerics.Tensors;
using System.Text;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Decodes the answer to a conversation up to END or a limit: greedily, or sampled at a temperature from a seed.</summary>
internal sealed class AnswerProgram : SequenceProgram
{
    private readonly TraceTokens _tokens;
    private readonly AnswerOptions _options;
    private readonly Action<string>? _onText;
    private readonly Random _random;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _text = new();
    private readonly int _limit;
    private readonly float[] _scores;
    private int _length;
    private bool _reachedLimit;

    public AnswerProgram(TraceTokens tokens, PromptToken[] prompt, AnswerOptions options, int maxPositions, Action<string>? onText)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTokens, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature);
        if (!double.IsFinite(options.Temperature)) throw new ArgumentOutOfRangeException(nameof(options), "The temperature must be finite.");
        (_tokens, _options, _onText) = (tokens, options, onText);
        _random = new Random(options.Seed);
        Start = Chunk.QueriedAtEnd([.. prompt.Select(t => t.Id), tokens.Tokenizer.SpecialId(TraceFormat.Assistant)]);
        _limit = Math.Min(options.MaxTokens, maxPositions - Start.Tokens.Length);
        _scores = new float[tokens.Text.Additive.Length];
    }

    public override Chunk Start { get; }

    public override Growth Growth => new(_limit);

    public ModelAnswer Answer => new(_text.ToString(), _reachedLimit, _length);

    public override Continuation Advance(LogitRows logits)
    {
        var token = Choose(logits[0]);
        if (token == _tokens.End) return Finish();
        _length++;
        Emit(_tokens.Tokenizer.Bytes(token), flush: false);
        if (_length < _limit) return Continuation.Append(Chunk.QueriedAtEnd([token], chosen: 1));
        _reachedLimit = true;
        return Finish();
    }

    /// <summary>Special tokens other than END have no bytes and are never chosen.</summary>
    private int Choose(ReadOnlySpan<float> logits)
    {
        logits[.._scores.Length].CopyTo(_scores);
        for (var id = 0; id < _scores.Length; id++)
        {
            if (_tokens.Tokenizer.IsSpecial(id) && id != _tokens.End) _scores[id] = float.NegativeInfinity;
        }

        if (_options.Temperature <= 0) return TensorPrimitives.IndexOfMax<float>(_scores);
        TensorPrimitives.Subtract(_scores, TensorPrimitives.Max<float>(_scores), _scores); // else a low temperature overflows the exponentials
        TensorPrimitives.Divide(_scores, (float)_options.Temperature, _scores);
        TensorPrimitives.SoftMax<float>(_scores, _scores);
        var target = _random.NextSingle();
        for (var id = 0; id < _scores.Length; id++)
        {
            target -= _scores[id];
            if (target <= 0 && _scores[id] > 0) return id;
        }

        return TensorPrimitives.IndexOfMax<float>(_scores);
    }

    private Continuation Finish()
    {
        Emit([], flush: true);
        return Continuation.End;
    }

    private void Emit(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> chars = stackalloc char[_utf8.GetCharCount(bytes, flush)];
        var count = _utf8.GetChars(bytes, chars, flush);
        if (count == 0) return;
        var text = new string(chars[..count]);
        _text.Append(text);
        _onText?.Invoke(text);
    }
}
