using SaferGuard.Training.Optimisation;

namespace SaferGuard.Training.Sft;

/// <summary>The batches of one epoch: a pure function of the rows, the options and the epoch, so that an interrupted run can take it up again.</summary>
internal static class EpochPlan
{
    public static List<SftExample[]> Of(IReadOnlyList<SftRow> rows, SftExamples examples, SftOptions options, int epoch)
    {
        var random = new Random(unchecked(options.Seed * 1_000_003 + epoch));
        var drawn = new List<SftExample>(rows.Count);
        foreach (var row in rows)
        {
            var repetitions = row.Weight <= 1 ? 1 : (int)Math.Floor(row.Weight + random.NextDouble());
            for (var i = 0; i < repetitions; i++) drawn.Add(examples.Draw(row, (float)Math.Min(row.Weight, 1), random));
        }

        return Packing.Shuffled(drawn, e => e.Tokens.Length, options.BatchTokens, random);
    }
}
