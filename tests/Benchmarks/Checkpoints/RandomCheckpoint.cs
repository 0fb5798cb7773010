using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Benchmarks.Checkpoints;

/// <summary>
/// A checkpoint of a given shape with random weights, which a guard can run: it has the bundled model's tokeniser, filled up with tokens that text
/// never becomes. Its sentences always run to their limit, since END is one token among thousands.
/// </summary>
internal static class RandomCheckpoint
{
    /// <summary>
    /// Whatever random weights say, one category is chosen, its rules are checked, and one of them is violated: every trace has the same stages.
    /// </summary>
    private static readonly Calibration SameStages = new(
        Checked: new(3, 0, 0, 0, 0), Unchecked: new(0, 0, 0, 0, 0),
        ViolationThreshold: 0.95, CareThreshold: 0.95, CheckThreshold: 0.5, CategoryThreshold: 1 - 1e-9);

    public static void Write(string folder, ModelConfig config, int seed)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Checkpoint.ConfigFile), config.ToJson());
        WriteTokenizer(Path.Combine(folder, Checkpoint.TokenizerFile), config.VocabSize);
        File.WriteAllBytes(Path.Combine(folder, BundleManifest.CalibrationFile), SameStages.ToJson());
        var random = new Random(seed);
        SafeTensors.Write(
            Path.Combine(folder, Checkpoint.WeightsFile),
            [.. Checkpoint.TensorsOf(config).Select(t => (t.Name, t.Shape, Weights(random, t.Name, t.Shape)))]);
    }

    /// <summary>The bundled model's tokeniser with so many tokens.</summary>
    public static void WriteTokenizer(string path, int vocabularySize)
    {
        var tokenizer = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.BundledModel, BundleManifest.TokenizerFile)))!;
        var vocabulary = tokenizer["model"]!["vocab"]!.AsObject();
        for (var id = vocabulary.Count; id < vocabularySize; id++) vocabulary.Add($"unused{id}", id);
        File.WriteAllText(path, tokenizer.ToJsonString());
    }

    /// <summary>Norms are 1; the rest is normal, so scaled that activations and logits stay around 1.</summary>
    private static float[] Weights(Random random, string name, long[] shape)
    {
        var data = new float[shape.Aggregate(1L, (a, b) => a * b)];
        if (shape.Length == 1)
        {
            Array.Fill(data, 1f);
            return data;
        }

        var deviation = 1 / Math.Sqrt(shape[1]);
        for (var i = 0; i < data.Length; i++)
            data[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        if (name == Checkpoint.NgramEmbed) data.AsSpan(0, (int)shape[1]).Clear(); // row 0 is "no n-gram"
        return data;
    }
}
