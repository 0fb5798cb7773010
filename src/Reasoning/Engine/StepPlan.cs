namespace SaferGuard.Reasoning.Engine;

/// <summary>The sequences of one forward pass and how many of their pending tokens each brings.</summary>
internal readonly record struct StepPlan(IReadOnlyList<(Sequence Sequence, int Tokens)> Entries)
{
    /// <summary>
    /// Plans one pass: a part of the oldest long chunk, so that it gets on under any load; then the sequences that can finish their chunk at once
    /// (decodes, forced runs, short prompts); then parts of the other long chunks. A pure function of the running sequences.
    /// </summary>
    public static StepPlan Of(IReadOnlyList<Sequence> running, EngineOptions options)
    {
        var entries = new List<(Sequence, int)>();
        var (tokens, queries) = (options.MaxBatchTokens, options.MaxBatchQueries);
        var parts = running.Where(s => s.Pending.Length > options.MaxChunkTokens).ToList();
        foreach (var sequence in parts.Take(1)) AddPart(sequence);
        foreach (var sequence in running.Where(s => s.Pending.Length <= options.MaxChunkTokens)) Add(sequence, tokens);
        foreach (var sequence in parts.Skip(1)) AddPart(sequence);
        return new StepPlan(entries);

        void AddPart(Sequence sequence) =>
            Add(sequence, running.Count == 1 ? tokens : Math.Min(tokens, Math.Max(options.MaxChunkTokens, sequence.Tail)));

        void Add(Sequence sequence, int budget)
        {
            var take = sequence.Take(budget);
            if (take == sequence.Pending.Length && sequence.Queries.Length > queries) take -= sequence.Tail;
            if (take <= 0 || entries.Count == options.MaxBatchSequences) return;
            entries.Add((sequence, take));
            tokens -= take;
            if (take == sequence.Pending.Length) queries -= sequence.Queries.Length;
        }
    }
}
