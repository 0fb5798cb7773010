using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter.Tests;

/// <summary>Folders of every architecture, exported and run in ragged batches, against the plain transformer.</summary>
public sealed class ArchitectureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama-2", "F32", 1)]
    [InlineData("llama-3", "BF16", 3)]
    [InlineData("llama-3.2", "BF16", 1)]
    [InlineData("llama-with-biases", "F16", 1)]
    [InlineData("smollm2", "BF16", 1)]
    [InlineData("mistral", "BF16", 2)]
    [InlineData("qwen2", "F16", 2)]
    [InlineData("qwen3", "BF16", 1)]
    public void The_fp32_graph_computes_what_the_plain_model_computes(string like, string type, int shards)
    {
        var checkpoint = Export(WeightFormat.Fp32, like, type, shards);
        using var run = new RaggedRun(checkpoint, _folder["bundle"]);
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 11))
        {
            for (var i = 0; i < expected.Length; i++) Assert.InRange(MathF.Abs(actual[i] - expected[i]), 0, 1e-4f);
            Assert.Equal(expected.IndexOf(expected.Max()), actual.IndexOf(actual.Max()));
        }
    }

    [Theory]
    [InlineData("llama-3")]
    [InlineData("llama-with-biases")]
    [InlineData("smollm2")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void The_int8_graph_stays_near_the_plain_model(string like)
    {
        var checkpoint = Export(WeightFormat.Int8, like, "BF16", 1);
        using var run = new RaggedRun(checkpoint, _folder["bundle"]);
        double squares = 0, errors = 0;
        foreach (var (actual, expected) in run.RandomSteps(checkpoint, seed: 12))
        {
            squares += expected.Sum(x => (double)x * x);
            errors += actual.Zip(expected, (a, e) => (double)(a - e) * (a - e)).Sum();
        }

        Assert.InRange(Math.Sqrt(errors / squares), 1e-4, 0.05);
    }

    [Theory]
    [InlineData("llama-2", "lm_head.weight")]
    [InlineData("llama-with-biases", "model.layers.1.self_attn.o_proj.bias")]
    [InlineData("llama-with-biases", "model.layers.1.mlp.up_proj.bias")]
    [InlineData("qwen2", "model.layers.2.self_attn.k_proj.bias")]
    [InlineData("qwen3", "model.layers.0.self_attn.q_norm.weight")]
    [InlineData("qwen3", "model.layers.0.self_attn.k_norm.weight")]
    public void The_plain_model_reads_every_kind_of_tensor(string like, string tensor)
    {
        int[] tokens = [7, 1, 200, 41];
        var checkpoint = HuggingFaceFolder.Write(_folder["checkpoint"], like, "F32");
        var before = new PlainTransformer(checkpoint).Forward(tokens, []);
        var path = _folder[$"checkpoint/{Checkpoint.WeightsFile}"];
        var tensors = SafeTensors.Read(path);
        tensors[tensor].Data[3] += 1;
        SafeTensors.Write(path, [.. tensors.Names.Select(n => (n, tensors[n].Shape, tensors[n].Data))]);
        var after = new PlainTransformer(Checkpoint.Load(checkpoint.Folder)).Forward(tokens, []);
        Assert.NotEqual(before[^1], after[^1]);
    }

    private Checkpoint Export(WeightFormat format, string like, string type, int shards)
    {
        var checkpoint = HuggingFaceFolder.Write(_folder["checkpoint"], like, type, shards);
        Directory.CreateDirectory(_folder["bundle"]);
        TransformerExporter.Export(checkpoint, format, _folder["bundle"]);
        return checkpoint;
    }
}
