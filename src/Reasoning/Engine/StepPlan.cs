using System.Runtime.InteropServices;

namespace SaferGuard.Reasoning.Engine;

/// <summary>The sequences of one forward pass and how many of their pending tokens each brings.</summary>
internal sealed class StepPlan(EngineOptions options)
{
    private readonly List<(Sequence Sequence, int Tokens)> _entries = new(options.MaxBatchSequences);
    private int _tokens, _queries;

    public ReadOnlySpan<(Sequence Sequence, int Tokens)> Entries => CollectionsMarshal.AsSpan(_entries);

    /// <summary>
    /// Plans one pass: a part of the oldest long chunk, so that it gets on under any load; then what has begun (decodes and forced runs), then short
    /// prompts, oldest first. Only when nothing of these is there, the other long chunks fill the pass: a flood of long prompts must not make the
    /// passes long in which short ones take part. Depends on the running sequences and the options alone.
    /// </summary>
    public void Make(List<Sequence> running)
    {
        _entries.Clear();
        (_tokens, _queries) = (options.MaxBatchTokens, options.MaxBatchQueries);
        var oldestLong = running.FindIndex(IsLong);
        if (oldestLong >= 0) AddPart(running[oldestLong], running.Count == 1);
        var longParts = _entries.Count;
        foreach (var sequence in running)
            if (!IsLong(sequence) && sequence.Computed > 0) Add(sequence, _tokens);
        foreach (var sequence in running)
            if (!IsLong(sequence) && sequence.Computed == 0) Add(sequence, _tokens);
        if (_entries.Count > longParts) return;
        for (var i = oldestLong + 1; i < running.Count; i++) AddPart(running[i], isAlone: false);
    }

    private Predicate<Sequence> IsLong { get; } = s => s.Pending.Length > options.MaxChunkTokens;

    private void AddPart(Sequence sequence, bool isAlone) =>
        Add(sequence, isAlone ? _tokens : Math.Min(_tokens, Math.Max(options.MaxChunkTokens, sequence.Tail)));

    private void Add(Sequence sequence, int budget)
    {
        var take = sequence.Take(budget);
        if (take == sequence.Pending.Length && sequence.Queries.Length > _queries) take -= sequence.Tail;
        if (take <= 0 || _entries.Count == options.MaxBatchSequences) return;
        _entries.Add((sequence, take));
        _tokens -= take;
        if (take == sequence.Pending.Length) _queries -= sequence.Queries.Length;
    }
}
