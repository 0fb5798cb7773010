using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Exporter.Tests;

/// <summary>One graph serves every format of the key/value cache.</summary>
public sealed class KvCacheFormatTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_bf16_cache_moves_the_logits_a_little(bool nano)
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], nano ? NanoShape() : TinyCheckpoint.Config());
        var exact = Run(checkpoint, WeightFormat.Fp32, KvCacheFormat.Fp32);
        var (relative, largest) = Errors(exact, Run(checkpoint, WeightFormat.Fp32, KvCacheFormat.Bf16));
        Report($"fp32 weights, {(nano ? "nano's" : "tiny")} shape: relative RMS {relative:G3}, largest {largest:G3}");

        // Not zero either: a cache that is exact is not bf16.
        Assert.InRange(relative, 1e-4, 0.004);
        Assert.InRange(largest, 1e-4, 0.03);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_bf16_cache_adds_little_to_the_error_of_int8(bool nano)
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], nano ? NanoShape() : TinyCheckpoint.Config());
        var exact = Run(checkpoint, WeightFormat.Fp32, KvCacheFormat.Fp32);
        var (without, _) = Errors(exact, Run(checkpoint, WeightFormat.Int8, KvCacheFormat.Fp32));
        var (with, largest) = Errors(exact, Run(checkpoint, WeightFormat.Int8, KvCacheFormat.Bf16));
        Report($"int8 weights, {(nano ? "nano's" : "tiny")} shape: relative RMS {with:G3} (fp32 cache: {without:G3}), largest {largest:G3}");
        Assert.InRange(with, 1e-4, 1.1 * without);
    }

    [Fact]
    public void A_bf16_cache_gives_a_sequence_the_same_bits_alone_and_in_a_batch()
    {
        var checkpoint = Export(TinyCheckpoint.Config(), WeightFormat.Int8);
        int[] tokens = TinyCheckpoint.Tokens(new Random(5), 19), mate = TinyCheckpoint.Tokens(new Random(6), 33);
        using var run = new RaggedRun(checkpoint, _folder["bundle"], KvCacheFormat.Bf16);
        var alone = run.Step((new RaggedRun.Cursor(tokens), 19))[0];
        var together = run.Step((new RaggedRun.Cursor(mate), 33), (new RaggedRun.Cursor(tokens), 19))[1];
        for (var i = 0; i < alone.Length; i++) Assert.Equal(alone[i], together[i]);
    }

    [Fact]
    public void A_graph_that_fixes_the_format_serves_no_other()
    {
        var checkpoint = Export(TinyCheckpoint.Config(), WeightFormat.Fp32);
        var path = _folder["bundle/model.onnx"];
        var model = Onnx.ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        foreach (var cache in model.Graph.Input.Where(i => i.Name.Contains("_cache_")))
            cache.Type.TensorType.Shape.Dim[3] = OnnxGraph.Size(checkpoint.Config.HeadSize);
        using (var file = File.Create(path)) Google.Protobuf.MessageExtensions.WriteTo(model, file);

        new RaggedRun(checkpoint, _folder["bundle"]).Dispose();
        var refusal = Assert.Throws<InvalidDataException>(() => new RaggedRun(checkpoint, _folder["bundle"], KvCacheFormat.Bf16));
        Assert.Contains("export the bundle again", refusal.Message);
    }

    private static void Report(FormattableString numbers) =>
        TestContext.Current.SendDiagnosticMessage($"bf16 cache, {FormattableString.Invariant(numbers)}");

    private static (double Relative, double Largest) Errors(List<float[]> expected, List<float[]> actual)
    {
        var pairs = expected.SelectMany(row => row).Zip(actual.SelectMany(row => row), (e, a) => (Expected: (double)e, Error: (double)e - a)).ToList();
        return (Math.Sqrt(pairs.Sum(p => p.Error * p.Error) / pairs.Sum(p => p.Expected * p.Expected)), pairs.Max(p => Math.Abs(p.Error)));
    }

    /// <summary>The logits of every position of a long sequence that is computed in two chunks and twenty single tokens.</summary>
    private List<float[]> Run(Checkpoint checkpoint, WeightFormat weights, KvCacheFormat cache)
    {
        var bundle = Directory.CreateDirectory(_folder[$"{weights}"]).FullName;
        TransformerExporter.Export(checkpoint, weights, bundle);
        using var run = new RaggedRun(checkpoint, bundle, cache);
        var sequence = new RaggedRun.Cursor(TinyCheckpoint.Tokens(new Random(4), 200));
        var logits = new List<float[]>();
        foreach (var take in (int[])[90, 90, .. Enumerable.Repeat(1, 20)]) logits.AddRange(run.Step((sequence, take))[0]);
        return logits;
    }

    /// <summary>The bundled model's, with the vocabulary of the tests.</summary>
    private static ModelConfig NanoShape() => new()
    {
        VocabSize = TinyCheckpoint.VocabularySize,
        HiddenSize = 128,
        IntermediateSize = 384,
        NumHiddenLayers = 4,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        MaxPositionEmbeddings = 256,
        TieWordEmbeddings = true,
        SaferguardNgrams = new NgramConfig(Orders: 3, Buckets: 997, Size: 48),
    };

    private Checkpoint Export(ModelConfig config, WeightFormat format)
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], config);
        TransformerExporter.Export(checkpoint, format, Directory.CreateDirectory(_folder["bundle"]).FullName);
        return checkpoint;
    }
}
