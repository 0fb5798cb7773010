using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// What the model says, in 32 bits, at the asked positions of a few traces. It lies beside the weights, so that an export can prove that it
/// computes the same: <c>reference.json</c> has tokens, rows and greedy tokens, <c>reference.safetensors</c> the logits of the rows.
/// </summary>
internal static class ReferenceSequences
{
    public const string SequencesFile = "reference.json";
    public const string LogitsFile = "reference.safetensors";

    /// <summary>Rows whose two best tokens lie closer than this are left out: rounding could exchange them.</summary>
    private const float MinimumMargin = 0.01f;

    public static void Write(string folder, Decoder decoder, WordNgrams? ngrams, IEnumerable<SftExample> examples)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (compute, training) = (decoder.Compute, decoder.training);
        decoder.Compute = ScalarType.Float32;
        decoder.eval();
        var sequences = new List<object>();
        var logits = new List<(string Name, long[] Shape, float[] Data)>();
        foreach (var example in examples)
        {
            var batch = SftBatch.Of([example], ngrams);
            var asked = example.Targets.Select(t => t.Position).Distinct().Order().ToArray();
            var hidden = decoder.Run(decoder.Embed(batch.Tokens, batch.Ngrams))[0];                                         // (T, C)
            var values = decoder.Logits(hidden.index_select(0, tensor(Array.ConvertAll(asked, r => (long)r))));             // (N, V)
            var best = values.topk(2).values.cpu().data<float>().ToArray();
            int[] clear = [.. Enumerable.Range(0, asked.Length).Where(i => best[2 * i] - best[2 * i + 1] > MinimumMargin)];
            if (clear.Length == 0) continue;
            var kept = values.index_select(0, tensor(Array.ConvertAll(clear, r => (long)r)));
            sequences.Add(new { tokens = example.Tokens, rows = clear.Select(i => asked[i]), greedy = kept.argmax(1).cpu().data<long>().ToArray() });
            logits.Add(($"logits.{logits.Count}", kept.shape, kept.cpu().data<float>().ToArray()));
        }

        decoder.Compute = compute;
        decoder.train(training);
        File.WriteAllText(Path.Combine(folder, SequencesFile), JsonSerializer.Serialize(new { sequences }));
        SafeTensors.Write(Path.Combine(folder, LogitsFile), logits);
    }
}
