using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter.Tests;

/// <summary>Checkpoint folders of tiny models with random weights, with the reference that <see cref="PlainTransformer"/> gives.</summary>
internal static class TinyCheckpoint
{
    /// <summary>A token for each byte and the special tokens.</summary>
    public static int VocabularySize => 256 + TraceFormat.SpecialTokens.Count;

    public static ModelConfig Config(int kvHeads = 2, int headsPerKvHead = 2, int headSize = 16, bool ngrams = true) => new()
    {
        VocabSize = VocabularySize + 3,
        HiddenSize = 48,
        IntermediateSize = 80,
        NumHiddenLayers = 3,
        NumAttentionHeads = kvHeads * headsPerKvHead,
        NumKeyValueHeads = kvHeads,
        HeadDim = headSize,
        MaxPositionEmbeddings = 256,
        TieWordEmbeddings = true,
        RopeTheta = 5000,
        SaferguardNgrams = ngrams ? new NgramConfig(Orders: 2, Buckets: 97, Size: 24) : null,
    };

    public static Checkpoint Write(string folder, ModelConfig config, int seed = 1)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Checkpoint.ConfigFile), config.ToJson());
        File.WriteAllText(Path.Combine(folder, Checkpoint.TokenizerFile), Tokenizer());
        var random = new Random(seed);
        SafeTensors.Write(
            Path.Combine(folder, Checkpoint.WeightsFile),
            [.. Checkpoint.TensorsOf(config).Select(t => (t.Name, t.Shape, Weights(random, t.Name, t.Shape)))]);
        var checkpoint = Checkpoint.Load(folder);
        WriteReference(checkpoint, random);
        return checkpoint;
    }

    public static WordNgrams? NgramsOf(Checkpoint checkpoint) => checkpoint.Config.SaferguardNgrams is { } config
        ? new WordNgrams(GuardTokenizer.Load(Path.Combine(checkpoint.Folder, Checkpoint.TokenizerFile)), config)
        : null;

    /// <summary>A text's bytes between markers: n-grams only see letters.</summary>
    public static int[] Tokens(Random random, int length) =>
        [.. Enumerable.Range(0, length).Select(i => TraceFormat.SpecialTokens.Count + (random.Next(5) == 0 ? ' ' : random.Next('a', 'z')))];

    private static float[] Weights(Random random, string name, long[] shape)
    {
        var data = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var (center, spread) = shape.Length == 1 ? (1f, 0.2f) : (0f, name == Checkpoint.NgramEmbed ? 0.5f : 1.5f / MathF.Sqrt(shape[^1]));
        for (var i = 0; i < data.Length; i++) data[i] = center + spread * (2 * random.NextSingle() - 1);
        if (name == Checkpoint.NgramEmbed) data.AsSpan(0, (int)shape[1]).Clear();
        return data;
    }

    private static void WriteReference(Checkpoint checkpoint, Random random)
    {
        var model = new PlainTransformer(checkpoint);
        var ngrams = NgramsOf(checkpoint);
        var sequences = new List<ReferenceSequence>();
        var tensors = new List<(string, long[], float[])>();
        foreach (var length in new[] { 1, 21 })
        {
            var tokens = Tokens(random, length);
            int[] rows = [.. Enumerable.Range(0, length).Where(i => i % 5 == 0)];
            var logits = model.Forward(tokens, ngrams?.Of(tokens) ?? []);
            tensors.Add(($"logits.{sequences.Count}", [rows.Length, checkpoint.Config.VocabSize], [.. rows.SelectMany(r => logits[r])]));
            sequences.Add(new ReferenceSequence(tokens, rows, [.. rows.Select(r => logits[r].IndexOf(logits[r].Max()))]));
        }

        SafeTensors.Write(Path.Combine(checkpoint.Folder, Reference.LogitsFile), tensors);
        File.WriteAllText(
            Path.Combine(checkpoint.Folder, Reference.SequencesFile),
            JsonSerializer.Serialize(new { sequences = sequences.Select(s => new { tokens = s.Tokens, rows = s.Rows, greedy = s.Greedy }) }));
    }

    private static string Tokenizer() => JsonSerializer.Serialize(new
    {
        added_tokens = TraceFormat.SpecialTokens.Select((content, id) => new { id, content, special = true }),
        pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, use_regex = true },
        model = new
        {
            type = "BPE",
            vocab = Enumerable.Range(0, 256).ToDictionary(b => ByteAlphabet.ToToken([(byte)b]), b => TraceFormat.SpecialTokens.Count + b),
            merges = Array.Empty<string>(),
        },
    });
}
