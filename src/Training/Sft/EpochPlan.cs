namespace SaferGuard.Training.Sft;

/// <summary>The batches of one epoch: a pure function of the rows, the options and the epoch, so that an interrupted run can take it up again.</summary>
internal static class EpochPlan
{
    /// <summary>Examples that are sorted by length together. Sorting everything would give every batch the same style.</summary>
    private const int Window = 4096;

    public static List<SftExample[]> Of(IReadOnlyList<SftRow> rows, SftExamples examples, SftOptions options, int epoch)
    {
        var random = new Random(unchecked(options.Seed * 1_000_003 + epoch));
        var drawn = new List<SftExample>(rows.Count);
        foreach (var row in rows)
        {
            var repetitions = row.Weight <= 1 ? 1 : (int)Math.Floor(row.Weight + random.NextDouble());
            for (var i = 0; i < repetitions; i++) drawn.Add(examples.Draw(row, (float)Math.Min(row.Weight, 1), random));
        }

        var shuffled = drawn.ToArray();
        random.Shuffle(shuffled);
        var batches = shuffled.Chunk(Window).SelectMany(w => Pack(w.OrderBy(e => e.Tokens.Length), options.BatchTokens)).ToArray();
        random.Shuffle(batches);
        return [.. batches];
    }

    /// <summary>Cuts examples of rising length into batches of at most <paramref name="batchTokens"/> tokens, padding included.</summary>
    private static IEnumerable<SftExample[]> Pack(IEnumerable<SftExample> ascending, int batchTokens)
    {
        var batch = new List<SftExample>();
        foreach (var example in ascending)
        {
            if (batch.Count > 0 && (batch.Count + 1) * example.Tokens.Length > batchTokens)
            {
                yield return [.. batch];
                batch.Clear();
            }

            batch.Add(example);
        }

        if (batch.Count > 0) yield return [.. batch];
    }
}
