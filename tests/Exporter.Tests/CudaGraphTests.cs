using Microsoft.ML.OnnxRuntime;
using Onnx;
using SaferGuard.Reasoning.Checkpoints;
using static Onnx.TensorProto.Types;

namespace SaferGuard.Exporter.Tests;

/// <summary>
/// The graphs for CUDA, as far as a machine without a device can judge them: ONNX Runtime's schemas and type inference accept them, and the same
/// nodes in 32-bit floats, with our attention in the place of ONNX Runtime's, compute what the plain model computes. <see cref="GpuTests"/> has the rest.
/// </summary>
public sealed class CudaGraphTests : IDisposable
{
    /// <summary>What the CPU says of a graph that is right: it has no kernel for a node, or has put a cast before one to get a kernel.</summary>
    private static readonly string[] OnlyKernelsAreMissing = ["Could not find an implementation for", "InsertedPrecisionFreeCast_"];

    private static readonly string[] Architectures = ["llama-2", "llama-3", "llama-with-biases", "smollm2", "mistral", "qwen2", "qwen3"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> ArchitecturesAndTypes() =>
        new(Architectures.SelectMany(like => new[] { (like, nameof(WeightFormat.Fp16)), (like, nameof(WeightFormat.Bf16)) }));

    [Theory]
    [MemberData(nameof(ArchitecturesAndTypes))]
    public void The_nodes_compute_what_the_plain_model_computes(string like, string format)
    {
        // Weights of the bundle's own type, so that nothing is lost in the export.
        var checkpoint = HuggingFaceFolder.Write(_folder["checkpoint"], like, format == nameof(WeightFormat.Fp16) ? "F16" : "BF16");
        Export(checkpoint, format);
        Directory.CreateDirectory(_folder["fp32"]);
        TransformerExporter.Export(checkpoint, WeightFormat.Fp32, _folder["fp32"]);
        var exact = CudaGraph.Read(_folder["fp32"]);
        CudaGraph.Write(exact, _folder["fp32"], _folder["exact"]);

        // The angles are rounded too; how far that moves them is another test's.
        var model = CudaGraph.InFloats(_folder["bundle"]);
        foreach (var name in new[] { "cos", "sin" }) Constant(model, name).RawData = Constant(exact, name).RawData;
        CudaGraph.Write(model, _folder["bundle"], _folder["floats"]);

        using var run = new RaggedRun(checkpoint, _folder["floats"]);
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 21))
        {
            for (var i = 0; i < expected.Length; i++) Assert.InRange(MathF.Abs(actual[i] - expected[i]), 0, 1e-4f);
        }
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Fp16), 2e-3)]
    [InlineData(nameof(WeightFormat.Bf16), 2e-2)]
    public void Rounding_of_weights_angles_and_ngrams_moves_the_logits_a_little(string format, double limit)
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config());
        Export(checkpoint, format);
        CudaGraph.Write(CudaGraph.InFloats(_folder["bundle"]), _folder["bundle"], _folder["floats"]);
        using var run = new RaggedRun(checkpoint, _folder["floats"]);
        double squares = 0, errors = 0;
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 22))
        {
            squares += expected.Sum(x => (double)x * x);
            errors += actual.Zip(expected, (a, e) => (double)(a - e) * (a - e)).Sum();
        }

        Assert.InRange(Math.Sqrt(errors / squares), limit / 100, limit);
    }

    [Theory]
    [MemberData(nameof(ArchitecturesAndTypes))]
    public void ONNX_Runtime_accepts_the_graph_and_only_misses_kernels(string like, string format)
    {
        Export(HuggingFaceFolder.Write(_folder["checkpoint"], like), format);
        Assert.Contains(OnlyKernelsAreMissing, reason => Refusal(_folder["bundle"]).Contains(reason));
    }

    [Theory]
    [InlineData("a constant of another type")]
    [InlineData("an input of another type")]
    [InlineData("a name that is nowhere")]
    [InlineData("lengths of another type")]
    [InlineData("a cache of another type")]
    [InlineData("an unknown attribute")]
    public void ONNX_Runtime_does_not_accept_a_graph_that_is_wrong(string mistake)
    {
        Export(TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config()), nameof(WeightFormat.Bf16));
        var model = CudaGraph.Read(_folder["bundle"]);
        CudaGraph.Write(model, _folder["bundle"], _folder["whole"]);
        Assert.Contains(OnlyKernelsAreMissing, reason => Refusal(_folder["whole"]).Contains(reason));
        var attention = model.Graph.Node.First(n => n.OpType == "PagedAttention");
        switch (mistake)
        {
            case "a constant of another type": Constant(model, "cos").DataType = DataType.Float16; break;
            case "an input of another type": Input(model, "block_table").Type.TensorType.ElemType = DataType.Int64; break;
            case "a name that is nowhere": attention.Input[16] = "attention_meta"; break;
            case "lengths of another type": Input(model, "attention_metadata").Type.TensorType.ElemType = DataType.Int64; break;
            case "a cache of another type": Input(model, "key_cache_0").Type.TensorType.ElemType = DataType.Float; break;
            case "an unknown attribute": attention.Attribute[0].Name = "heads"; break;
        }

        CudaGraph.Write(model, _folder["bundle"], _folder["wrong"]);
        Assert.DoesNotContain(OnlyKernelsAreMissing, reason => Refusal(_folder["wrong"]).Contains(reason));
    }

    /// <summary>Nodes that ONNX Runtime 1.31 has CUDA kernels for in fp16 and bf16 (cuda_contrib_kernels.cc, cuda_execution_provider.cc).</summary>
    [Fact]
    public void Only_operators_with_a_CUDA_kernel_are_used()
    {
        string[] known =
        [
            "Add", "Cast", "Concat", "FusedMatMul", "Gather", "Mul", "PagedAttention", "QuickGelu", "ReduceSum", "Reshape", "SimplifiedLayerNormalization",
            "SkipSimplifiedLayerNormalization", "Split",
        ];
        var used = new HashSet<string>();
        foreach (var like in new[] { "llama-with-biases", "qwen3", "ngrams" })
        {
            var folder = _folder[$"checkpoint-{like}"];
            Export(like == "ngrams" ? TinyCheckpoint.Write(folder, TinyCheckpoint.Config()) : HuggingFaceFolder.Write(folder, like), nameof(WeightFormat.Fp16));
            used.UnionWith(CudaGraph.Read(_folder["bundle"]).Graph.Node.Select(n => n.OpType));
        }

        Assert.Equal(known, used.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_cache_is_an_output_too_and_every_layer_is_told_the_lengths()
    {
        Export(TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config()), nameof(WeightFormat.Fp16));
        var graph = CudaGraph.Read(_folder["bundle"]).Graph;
        var layers = graph.Node.Where(n => n.OpType == "PagedAttention").ToList();
        Assert.Equal(3, layers.Count);
        for (var layer = 0; layer < layers.Count; layer++)
        {
            Assert.Equal([$"key_cache_{layer}", $"value_cache_{layer}"], layers[layer].Input.Skip(3).Take(2));
            Assert.Equal([$"key_cache_out_{layer}", $"value_cache_out_{layer}"], layers[layer].Output.Skip(1));
            Assert.Equal("attention_metadata", layers[layer].Input[16]);
        }

        foreach (var cache in graph.Input.Where(i => i.Name.Contains("_cache_")))
            Assert.Equal(cache.Type, graph.Output.Single(o => o.Name == cache.Name.Replace("_cache_", "_cache_out_")).Type);
        Assert.Equal(DataType.Float, graph.Output.Single(o => o.Name == "logits").Type.TensorType.ElemType);
    }

    [Fact]
    public void A_head_size_that_CUDA_has_no_attention_for_is_refused()
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config(headSize: 12));
        var error = Assert.Throws<InvalidDataException>(() => Export(checkpoint, nameof(WeightFormat.Fp16)));
        Assert.Contains("12", error.Message);
    }

    private void Export(Checkpoint checkpoint, string format)
    {
        Directory.CreateDirectory(_folder["bundle"]);
        TransformerExporter.Export(checkpoint, Enum.Parse<WeightFormat>(format), _folder["bundle"]);
    }

    private static string Refusal(string folder) =>
        Assert.Throws<OnnxRuntimeException>(() => new InferenceSession(Path.Combine(folder, "model.onnx"))).Message;

    private static TensorProto Constant(ModelProto model, string name) => model.Graph.Initializer.Single(t => t.Name == name);

    private static ValueInfoProto Input(ModelProto model, string name) => model.Graph.Input.Single(i => i.Name == name);
}
