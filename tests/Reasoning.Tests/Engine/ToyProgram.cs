using System.Numerics.Tensors;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Reasoning.Tests.Engine;

/// <summary>
/// Appends random chunks, each beginning with the greedy token, then forks into random branches; remembers the sequence so that every row of logits
/// can be checked against the toy model's reference.
/// </summary>
internal sealed class ToyProgram : SequenceProgram
{
    private readonly Random _random;
    private readonly List<int> _sequence;
    private readonly int _branches;
    private readonly Action? _onNext;
    private Chunk _last;
    private int _chunksLeft;

    /// <param name="prefix">What the prompt begins with; <paramref name="promptTokens"/> random tokens follow.</param>
    public ToyProgram(int seed, int promptTokens, int chunks, int branches = 0, Action? onNext = null, int queries = 0, int[]? prefix = null)
        : this(new Random(seed), [], promptTokens + queries, chunks, branches, onNext, prefix)
    {
        if (queries > 0) Start = _last = Start with { Queries = [.. Enumerable.Range(promptTokens, queries)] };
    }

    private ToyProgram(Random random, IEnumerable<int> shared, int startTokens, int chunks, int branches, Action? onNext, int[]? prefix = null)
    {
        (_random, _chunksLeft, _branches, _onNext) = (random, chunks, branches, onNext);
        var start = RandomChunk(startTokens);
        if (prefix is not null) start = new Chunk([.. prefix, .. start.Tokens], [.. start.Queries.Select(q => q + prefix.Length)]);
        Start = _last = start;
        _sequence = [.. shared, .. Start.Tokens];
    }

    public override Chunk Start { get; }

    public override Growth Growth => new(_chunksLeft * 6, _branches, 5 + 2 * 6);

    public List<ToyProgram> Branches { get; } = [];

    /// <summary>Greedy tokens of every query, own and of the branches: the whole outcome.</summary>
    public IEnumerable<int> Outcome => _outcome.Concat(Branches.SelectMany(b => b.Outcome));

    public bool LogitsWereRight { get; private set; } = true;

    private readonly List<int> _outcome = [];

    public override Continuation Advance(LogitRows logits)
    {
        _onNext?.Invoke();
        var before = _sequence.Count - _last.Tokens.Length;
        for (var i = 0; i < _last.Queries.Length; i++)
        {
            LogitsWereRight &= logits[i].SequenceEqual(ToyModelRunner.Logits(_sequence[..(before + _last.Queries[i] + 1)]));
            _outcome.Add(TensorPrimitives.IndexOfMax(logits[i]));
        }

        if (_chunksLeft-- > 0)
        {
            _last = RandomChunk(1 + _random.Next(6));
            _last.Tokens[0] = _outcome[^1];
            _sequence.AddRange(_last.Tokens);
            return Continuation.Append(_last);
        }

        for (var i = 0; i < _branches; i++)
            Branches.Add(new ToyProgram(new Random(_random.Next()), _sequence, 1 + _random.Next(5), _random.Next(3), 0, _onNext));
        return Branches.Count == 0 ? Continuation.End : Continuation.Fork([.. Branches]);
    }

    private Chunk RandomChunk(int length)
    {
        int[] tokens = [.. Enumerable.Range(0, length).Select(_ => _random.Next(64))];
        var firstQuery = Math.Max(0, length - 1 - _random.Next(3));
        return new Chunk(tokens, [.. Enumerable.Range(firstQuery, length - firstQuery)]);
    }
}
