using System.Text;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Decodes the answer to a conversation up to its end token or a limit: greedily, or sampled at a temperature from a seed.</summary>
internal sealed class AnswerProgram : SequenceProgram
{
    private readonly AnswerTokens _tokens;
    private readonly AnswerOptions _options;
    private readonly Action<string>? _onText;
    private readonly Random _random;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _text = new();
    private readonly int _limit;
    private int _length;
    private bool _reachedLimit;

    /// <param name="start">The conversation, up to where the answer begins.</param>
    public AnswerProgram(AnswerTokens tokens, int[] start, AnswerOptions options, int maxPositions, Action<string>? onText)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTokens, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature);
        if (!double.IsFinite(options.Temperature)) throw new ArgumentOutOfRangeException(nameof(options), "The temperature must be finite.");
        (_tokens, _options, _onText) = (tokens, options, onText);
        _random = new Random(options.Seed);
        Start = Chunk.QueriedAtEnd(start);
        _limit = Math.Min(options.MaxTokens, maxPositions - Start.Tokens.Length);
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
        if (_length < _limit) return Decode(token);
        _reachedLimit = true;
        return Finish();
    }

    private int Choose(ReadOnlySpan<float> logits) => _options.Temperature <= 0
        ? _tokens.Allowed.Likeliest(logits)
        : _tokens.Allowed.Sample(logits, _options.Temperature, _random.NextDouble());

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
