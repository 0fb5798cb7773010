namespace SaferGuard.Training.Optimisation;

/// <summary>Batches of similar lengths, so that little is padding.</summary>
internal static class Packing
{
    /// <summary>Items that are sorted by length together. Sorting everything would give every batch the same style.</summary>
    private const int Window = 4096;

    /// <summary>The items in random batches of at most <paramref name="batchTokens"/> tokens, padding included; one longer item is a batch of its own.</summary>
    /// <param name="length">Tokens that an item takes.</param>
    public static List<T[]> Shuffled<T>(IEnumerable<T> items, Func<T, int> length, int batchTokens, Random random)
    {
        var shuffled = items.ToArray();
        random.Shuffle(shuffled);
        var batches = shuffled.Chunk(Window).SelectMany(w => Pack(w.OrderBy(length), length, batchTokens)).ToArray();
        random.Shuffle(batches);
        return [.. batches];
    }

    /// <summary>Cuts items of rising length into batches.</summary>
    public static IEnumerable<T[]> Pack<T>(IEnumerable<T> ascending, Func<T, int> length, int batchTokens)
    {
        var batch = new List<T>();
        foreach (var item in ascending)
        {
            if (batch.Count > 0 && (batch.Count + 1) * length(item) > batchTokens)
            {
                yield return [.. batch];
                batch.Clear();
            }

            batch.Add(item);
        }

        if (batch.Count > 0) yield return [.. batch];
    }
}
