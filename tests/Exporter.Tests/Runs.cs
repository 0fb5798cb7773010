using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter.Tests;

/// <summary>Assertions that hold on every device.</summary>
internal static class Runs
{
    public static RaggedRun Open(TemporaryFolder folder, WeightFormat format, out Checkpoint checkpoint)
    {
        checkpoint = TinyCheckpoint.Write(folder["checkpoint"], TinyCheckpoint.Config());
        Directory.CreateDirectory(folder["bundle"]);
        TransformerExporter.Export(checkpoint, format, folder["bundle"]);
        return new RaggedRun(checkpoint, folder["bundle"], device: format.Device());
    }

    /// <summary>Two ways on from one beginning, each as if it had been alone.</summary>
    public static void ForkAndCompare(TemporaryFolder folder, WeightFormat format, double limit)
    {
        using var run = Open(folder, format, out _);
        var random = new Random(31);
        int[] beginning = TinyCheckpoint.Tokens(random, 21), left = TinyCheckpoint.Tokens(random, 7), right = TinyCheckpoint.Tokens(random, 7);
        var original = new RaggedRun.Cursor([.. beginning, .. left]);
        run.Step((original, beginning.Length));
        var fork = run.Fork(original, right);
        run.Step((fork, 3));
        run.Step((original, 3));
        var both = run.Step((fork, 4), (original, 4));
        var alone = new[] { right, left }.Select(end => run.Step((new RaggedRun.Cursor([.. beginning, .. end]), beginning.Length + 7))[0]);
        foreach (var (together, expected) in both.Zip(alone))
        {
            for (var i = 0; i < together.Length; i++) Assert.InRange(RelativeError(together[i], expected[^(together.Length - i)]), 0, limit);
        }
    }

    public static void AllocateNothing(TemporaryFolder folder, WeightFormat format)
    {
        using var run = Open(folder, format, out _);
        void Passes(int seed, Action<(RaggedRun.Cursor, int)[]> pass)
        {
            var random = new Random(seed);
            var sequences = Enumerable.Range(0, 4).Select(_ => new RaggedRun.Cursor(TinyCheckpoint.Tokens(random, 60))).ToArray();
            while (sequences.Any(s => s.Left > 0))
            {
                var chunks = sequences.Select(s => (s, Math.Min(s.Left, random.Next(6)))).Where(c => c.Item2 > 0).ToArray();
                if (chunks.Length > 0) pass(chunks);
            }
        }

        // The first passes are compiled on their way.
        run.AllocatedBytes(pass => Passes(1, pass));
        Assert.Equal(0, run.AllocatedBytes(pass => Passes(2, pass)));
    }

    public static double RelativeError(IEnumerable<float> actual, IEnumerable<float> expected)
    {
        double squares = 0, errors = 0;
        foreach (var (a, e) in actual.Zip(expected))
        {
            squares += (double)e * e;
            errors += (double)(a - e) * (a - e);
        }

        return Math.Sqrt(errors / squares);
    }
}
