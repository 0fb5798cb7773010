using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>How well a model in training separates dev rows that must be refused from the others.</summary>
/// <param name="ImpressionAuc">AUC of "refuse" at the first impression; null without rows of both kinds.</param>
/// <param name="VerdictAuc">AUC of the likeliest violation among the rules of the likeliest category.</param>
internal sealed record DevScores(int Rows, double? ImpressionAuc, double? VerdictAuc)
{
    public static DevScores Of(Decoder decoder, TraceTokens tokens, WordNgrams? ngrams, IReadOnlyList<(SftRow Row, bool IsHarmful)> rows, int batchTokens)
    {
        using var _ = no_grad();
        var wasTraining = decoder.training;
        decoder.eval();
        var impressions = new List<Scored>();
        var violations = new List<Scored>();
        foreach (var batch in Batches(rows, batchTokens))
        {
            using var scope = NewDisposeScope();
            int[][] assessments = [.. batch.Select(r => (int[])[.. r.Row.Prompt, .. tokens.AssessmentChunk(r.Row.Subject)])];
            var assessed = Logits(decoder, ngrams, assessments, [.. assessments.Select(a => (int[])[a.Length - 3, a.Length - 2, a.Length - 1])]);

            var queries = new List<int>[batch.Length];
            var slots = new int[batch.Length];
            var traces = new int[batch.Length][];
            for (var i = 0; i < batch.Length; i++)
            {
                impressions.Add(new Scored(Softmax(assessed[i][0], tokens.Decisions)[^1], batch[i].IsHarmful));
                slots[i] = Enumerable.Range(1, tokens.CategorySlots.Count - 1).MaxBy(s => assessed[i][1][tokens.CategorySlots[s]]);
                var risk = Enum.GetValues<Reasoning.Traces.Risk>().MaxBy(r => assessed[i][2][tokens.Risks[(int)r]]);
                var positions = queries[i] = [];
                var rules = tokens.RulesChunk(risk, [slots[i]], positions);
                for (var q = 0; q < positions.Count; q++) positions[q] += assessments[i].Length;
                traces[i] = [.. assessments[i], .. rules];
            }

            var checkedRules = Logits(decoder, ngrams, traces, [.. queries.Select(q => q.ToArray())]);
            for (var i = 0; i < batch.Length; i++)
            {
                var rules = tokens.RulesOf([slots[i]]).ToArray();
                var worst = rules.Select((r, j) => r.Effect == RuleEffect.Refuse ? Softmax(checkedRules[i][j], tokens.Verdicts)[0] : 0).Max();
                violations.Add(new Scored(worst, batch[i].IsHarmful));
            }
        }

        decoder.train(wasTraining);
        return new DevScores(rows.Count, Metrics.RocAuc(impressions), Metrics.RocAuc(violations));
    }

    private static IEnumerable<(SftRow Row, bool IsHarmful)[]> Batches(IReadOnlyList<(SftRow Row, bool IsHarmful)> rows, int batchTokens)
    {
        foreach (var group in rows.OrderBy(r => r.Row.Prompt.Length).Chunk(64))
        {
            var size = Math.Max(1, batchTokens / (group[^1].Row.Prompt.Length + 32));
            foreach (var batch in group.Chunk(size)) yield return batch;
        }
    }

    /// <summary>Logits at some positions of each sequence.</summary>
    private static float[][][] Logits(Decoder decoder, WordNgrams? ngrams, int[][] sequences, int[][] positions)
    {
        using var scope = NewDisposeScope();
        var batch = SftBatch.Of([.. sequences.Select(s => new SftExample(s, s.Length, [], false, 1))], ngrams);
        var length = batch.Tokens.shape[1];
        var rows = tensor([.. positions.SelectMany((p, i) => p.Select(at => i * length + at))]);
        var hidden = decoder.Run(decoder.Embed(batch.Tokens, batch.Ngrams)).flatten(0, 1).index_select(0, rows);
        var logits = decoder.Logits(hidden);
        var width = (int)logits.shape[1];
        var flat = logits.cpu().data<float>().ToArray();
        var row = 0;
        return [.. positions.Select(p => (float[][])[.. p.Select(_ => flat[(row * width)..(++row * width)])])];
    }

    private static double[] Softmax(float[] logits, IReadOnlyList<int> choices)
    {
        var highest = choices.Max(c => logits[c]);
        double[] exponentials = [.. choices.Select(c => Math.Exp(logits[c] - highest))];
        var sum = exponentials.Sum();
        return [.. exponentials.Select(e => e / sum)];
    }
}
