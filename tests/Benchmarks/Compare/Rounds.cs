namespace SaferGuard.Benchmarks.Compare;

/// <summary>Contestants that run in turn, so that whatever else the machine does meets all of them alike.</summary>
internal static class Rounds
{
    /// <returns>[contestant][round]; a first round, which warms up, is not counted.</returns>
    public static async Task<T[][]> InTurnAsync<T>(int rounds, IReadOnlyList<Func<Task<T>>> contestants)
    {
        var results = contestants.Select(_ => new T[rounds]).ToArray();
        for (var round = -1; round < rounds; round++)
        {
            for (var i = 0; i < contestants.Count; i++)
            {
                var result = await contestants[i]();
                if (round >= 0) results[i][round] = result;
            }
        }

        return results;
    }

    public static double Median<T>(T[] rounds, Func<T, double> measure) => Statistics.Median(rounds.Select(measure));

    /// <summary>The median of the rounds' quotients.</summary>
    public static double Ratio<T>(T[] over, T[] under, Func<T, double> measure) =>
        Statistics.Median(over.Zip(under, (a, b) => measure(a) / measure(b)));
}
