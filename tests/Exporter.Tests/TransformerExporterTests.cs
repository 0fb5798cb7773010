using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter.Tests;

public sealed class TransformerExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2, 1, 16, true)]
    [InlineData(2, 1, 16, false)]
    [InlineData(1, 2, 32, true)]
    [InlineData(3, 2, 16, false)]
    [InlineData(1, 3, 32, false)]
    [InlineData(2, 3, 16, true)]
    public void The_fp32_graph_computes_what_the_plain_model_computes(int kvHeads, int headsPerKvHead, int headSize, bool ngrams)
    {
        var checkpoint = Export(WeightFormat.Fp32, TinyCheckpoint.Config(kvHeads, headsPerKvHead, headSize, ngrams));
        using var run = new RaggedRun(checkpoint, _folder["fp32"]);
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: kvHeads * 10 + headsPerKvHead))
        {
            for (var i = 0; i < expected.Length; i++) Assert.InRange(MathF.Abs(actual[i] - expected[i]), 0, 1e-4f);
        }
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Int8), true, 0.05)]
    [InlineData(nameof(WeightFormat.Int8), false, 0.05)]
    [InlineData(nameof(WeightFormat.Int4), true, 0.35)]
    [InlineData(nameof(WeightFormat.Int4), false, 0.35)]
    public void Quantised_graphs_stay_near_the_plain_model(string format, bool ngrams, double limit)
    {
        var checkpoint = Export(Enum.Parse<WeightFormat>(format), TinyCheckpoint.Config(ngrams: ngrams));
        using var run = new RaggedRun(checkpoint, _folder[format.ToLowerInvariant()]);
        double squares = 0, errors = 0;
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 3))
        {
            squares += expected.Sum(x => (double)x * x);
            errors += actual.Zip(expected, (a, e) => (double)(a - e) * (a - e)).Sum();
        }

        // Not zero either: a quantised graph that is exact is not quantised.
        Assert.InRange(Math.Sqrt(errors / squares), 1e-4, limit);
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Fp32))]
    [InlineData(nameof(WeightFormat.Int8))]
    [InlineData(nameof(WeightFormat.Int4))]
    public void A_sequence_gets_the_same_bits_alone_and_in_a_batch(string format)
    {
        var checkpoint = Export(Enum.Parse<WeightFormat>(format), TinyCheckpoint.Config());
        var random = new Random(5);
        int[] tokens = TinyCheckpoint.Tokens(random, 19), mate = TinyCheckpoint.Tokens(random, 33);
        using var run = new RaggedRun(checkpoint, _folder[format.ToLowerInvariant()]);
        var alone = run.Step((new RaggedRun.Cursor(tokens), 19))[0];
        var together = run.Step((new RaggedRun.Cursor(mate), 33), (new RaggedRun.Cursor(tokens), 19))[1];
        for (var i = 0; i < alone.Length; i++) Assert.Equal(alone[i], together[i]);
    }

    [Fact]
    public void Int8_products_whose_weights_are_all_at_the_limit_do_not_saturate()
    {
        TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config());
        var path = _folder[$"checkpoint/{Checkpoint.WeightsFile}"];
        var tensors = SafeTensors.Read(path);
        for (var layer = 0; layer < 3; layer++) tensors[Checkpoint.LayerTensor(layer, "mlp.up_proj")].Data.AsSpan().Fill(0.1f);
        SafeTensors.Write(path, [.. tensors.Names.Select(n => (n, tensors[n].Shape, tensors[n].Data))]);
        var checkpoint = Checkpoint.Load(_folder["checkpoint"]);
        TransformerExporter.Export(checkpoint, WeightFormat.Int8, Directory.CreateDirectory(_folder["int8"]).FullName);
        using var run = new RaggedRun(checkpoint, _folder["int8"]);
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 3))
        {
            var error = Math.Sqrt(actual.Zip(expected, (a, e) => (double)(a - e) * (a - e)).Sum() / expected.Sum(x => (double)x * x));
            Assert.InRange(error, 1e-4, 0.1);
        }
    }

    [Fact]
    public void The_int8_graph_has_eight_nodes_a_layer()
    {
        int Nodes(int layers)
        {
            var checkpoint = TinyCheckpoint.Write(_folder[$"{layers}"], TinyCheckpoint.Config() with { NumHiddenLayers = layers });
            TransformerExporter.Export(checkpoint, WeightFormat.Int8, checkpoint.Folder);
            return Onnx.ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(checkpoint.Folder, "model.onnx"))).Graph.Node.Count;
        }

        Assert.Equal(8, Nodes(4) - Nodes(3));
    }

    [Fact]
    public void Exporting_twice_gives_the_same_bytes()
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config());
        foreach (var format in Enum.GetValues<WeightFormat>())
        {
            foreach (var name in new[] { $"{format}1", $"{format}2" })
            {
                Directory.CreateDirectory(_folder[name]);
                TransformerExporter.Export(checkpoint, format, _folder[name]);
            }

            foreach (var file in Directory.EnumerateFiles(_folder[$"{format}1"]).Select(f => Path.GetFileName(f)))
                Assert.Equal(File.ReadAllBytes(Path.Combine(_folder[$"{format}1"], file)), File.ReadAllBytes(Path.Combine(_folder[$"{format}2"], file)));
        }
    }

    [Fact]
    public void A_quantised_bundle_stores_the_embedding_once_and_in_bytes()
    {
        var config = TinyCheckpoint.Config() with { VocabSize = 4096 };
        Export(WeightFormat.Int8, config);
        var parameters = Checkpoint.TensorsOf(config).Sum(t => t.Shape.Aggregate(1L, (a, b) => a * b));
        var scalesAndPadding = 4 * config.VocabSize + 12 * 4096 * config.NumHiddenLayers;
        Assert.InRange(new FileInfo(Path.Combine(_folder["int8"], "model.onnx.data")).Length, parameters, parameters + scalesAndPadding);
    }

    private Checkpoint Export(WeightFormat format, ModelConfig config)
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], config);
        var target = Directory.CreateDirectory(_folder[format.ToString().ToLowerInvariant()]);
        TransformerExporter.Export(checkpoint, format, target.FullName);
        return checkpoint;
    }
}
