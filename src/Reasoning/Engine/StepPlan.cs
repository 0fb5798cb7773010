using System.Runtime.InteropServices;

namespace SaferGuard.Reasoning.Engine;

/// <summary>The sequences of one forward pass and how many of their pending tokens each brings.</summary>
internal sealed class StepPlan(EngineOptions options)
{
    /// <summary>A pass over fewer tokens takes hardly less time.</summary>
    private const int LeastPartTokens = 16;

    private readonly List<(Sequence Sequence, int Tokens)> _entries = new(options.MaxBatchSequences);
    private int _tokens, _queries;

    public ReadOnlySpan<(Sequence Sequence, int Tokens)> Entries => CollectionsMarshal.AsSpan(_entries);

    /// <summary>
    /// Plans one pass. What has begun comes first (decodes and forced runs), then short prompts, oldest first. Beside them long chunks get on in parts,
    /// oldest first, which together have no more tokens than the rest: a flood of long prompts at most doubles the passes in which short ones take
    /// part, and short ones at most halve the pace of long ones. Depends on the running sequences and the options alone.
    /// </summary>
    public void Make(List<Sequence> running)
    {
        _entries.Clear();
        (_tokens, _queries) = (options.MaxBatchTokens, options.MaxBatchQueries);
        var shortTokens = 0;
        foreach (var sequence in running)
            if (!IsLong(sequence)) shortTokens += sequence.Pending.Length;

        // Before the others, so that they cannot take all of the pass.
        var partTokens = shortTokens == 0 ? options.MaxChunkTokens : Math.Clamp(shortTokens, LeastPartTokens, options.MaxChunkTokens);
        foreach (var sequence in running)
            if (IsLong(sequence) && partTokens > 0) partTokens -= Add(sequence, Math.Max(partTokens, sequence.Tail));
        foreach (var sequence in running)
            if (!IsLong(sequence) && sequence.Computed > 0) Add(sequence, _tokens);
        foreach (var sequence in running)
            if (!IsLong(sequence) && sequence.Computed == 0) Add(sequence, _tokens);
    }

    private bool IsLong(Sequence sequence) => sequence.Pending.Length > options.MaxChunkTokens;

    /// <returns>How many tokens of the sequence take part.</returns>
    private int Add(Sequence sequence, int budget)
    {
        var take = sequence.Take(Math.Min(budget, _tokens));
        if (take == sequence.Pending.Length && sequence.Queries.Length > _queries) take -= sequence.Tail;
        if (take <= 0 || _entries.Count == options.MaxBatchSequences) return 0;
        _entries.Add((sequence, take));
        _tokens -= take;
        if (take == sequence.Pending.Length) _queries -= sequence.Queries.Length;
        return take;
    }
}
