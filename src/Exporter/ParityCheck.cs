using System.Numerics.Tensors;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Exporter;

/// <summary>How far a graph's logits are from the reference.</summary>
/// <param name="Rows">Rows compared.</param>
/// <param name="MaxError">The largest absolute difference.</param>
/// <param name="RelativeError">Root mean square of the differences, relative to that of the logits.</param>
/// <param name="GreedyMisses">Rows whose likeliest token is another one.</param>
/// <param name="LargestLogit">The largest magnitude of the reference.</param>
internal sealed record ParityReport(int Rows, float MaxError, double RelativeError, int GreedyMisses, float LargestLogit)
{
    private const double NearLimit = 0.05;

    /// <summary>The largest difference that rounding 32-bit floats in another order explains.</summary>
    public float ExactLimit => Math.Max(1e-3f, 1e-4f * LargestLogit);

    /// <summary>The graph computes what the model computes. NaN is not exact.</summary>
    public bool IsExact => MaxError <= ExactLimit && GreedyMisses == 0;

    /// <summary>The graph computes what the model computes, but for rounding to 16 bits. NaN is not near.</summary>
    public bool IsNear => RelativeError <= NearLimit;
}

/// <summary>Runs the reference sequences of a checkpoint through an exported bundle, with the runner that serves it.</summary>
internal static class ParityCheck
{
    public static ParityReport Run(ModelBundle bundle, Reference reference)
    {
        var fitting = Enumerable.Range(0, reference.Sequences.Count)
            .Where(i => reference.Sequences[i].Tokens.Length <= bundle.Config.MaxPositions).ToList();
        if (fitting.Count == 0) throw new InvalidDataException($"No sequence of the reference fits into {bundle.Config.MaxPositions} positions.");
        var longest = fitting.Max(i => reference.Sequences[i].Tokens.Length);
        var options = new EngineOptions
        {
            Device = bundle.Manifest.Device,
            CacheTokens = longest,
            MaxBatchTokens = longest,
            MaxBatchSequences = 1,
            MaxBatchQueries = fitting.Max(i => reference.Sequences[i].Rows.Length),
        };
        using var runner = OnnxModelRunner.Open(bundle.GraphPath, bundle.Config, options);
        var batch = new StepBatch(options, runner);
        var ngrams = bundle.Config.SaferguardNgrams is { } config ? new WordNgrams(bundle.Tokenizer, config) : null;

        var report = new ParityReport(0, 0, 0, 0, 0);
        double squares = 0, errorSquares = 0;
        foreach (var i in fitting)
        {
            var sequence = reference.Sequences[i];
            var actual = Logits(runner, batch, ngrams, sequence);
            var expected = reference.LogitsOf(i);
            for (var row = 0; row < sequence.Rows.Length; row++)
            {
                var logits = actual.AsSpan(row * runner.VocabularySize, runner.VocabularySize);
                if (TensorPrimitives.IndexOfMax(logits) != sequence.Greedy[row]) report = report with { GreedyMisses = report.GreedyMisses + 1 };
            }

            squares += TensorPrimitives.SumOfSquares(expected);
            TensorPrimitives.Subtract(actual, expected, actual);
            errorSquares += TensorPrimitives.SumOfSquares<float>(actual);
            report = report with
            {
                Rows = report.Rows + sequence.Rows.Length,
                LargestLogit = Math.Max(report.LargestLogit, Math.Abs(TensorPrimitives.MaxMagnitude(expected))),
                MaxError = Math.Max(report.MaxError, Math.Abs(TensorPrimitives.MaxMagnitude<float>(actual))),
            };
        }

        return report with { RelativeError = Math.Sqrt(errorSquares / squares) };
    }

    /// <summary>In two passes, so that the second one reads what the first one left in the cache.</summary>
    private static float[] Logits(ModelRunner runner, StepBatch batch, WordNgrams? ngrams, ReferenceSequence sequence)
    {
        int[] blocks = [.. Enumerable.Range(0, (sequence.Tokens.Length + runner.BlockSize - 1) / runner.BlockSize)];
        var logits = new float[sequence.Rows.Length * runner.VocabularySize];
        WordNgrams.State state = default;
        int past = 0, done = 0;
        foreach (var end in new[] { sequence.Tokens.Length / 2, sequence.Tokens.Length })
        {
            if (end == past) continue;
            batch.Clear(blocks.Length);
            foreach (var row in sequence.Rows.Where(r => r >= past && r < end)) batch.AddQuery(row - past);
            batch.Add(sequence.Tokens.AsSpan(past, end - past), past, blocks, ngrams, ref state);
            runner.Run(batch);
            batch.Logits.AsSpan(0, batch.Queries * runner.VocabularySize).CopyTo(logits.AsSpan(done * runner.VocabularySize));
            done += batch.Queries;
            past = end;
        }

        return logits;
    }
}
