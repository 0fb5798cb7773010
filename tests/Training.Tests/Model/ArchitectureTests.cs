using SaferGuard.Exporter;
using SaferGuard.Exporter.Tests;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Model;

/// <summary>Folders of every architecture, against the plain forward pass that exported graphs are measured against.</summary>
[Collection(nameof(Torch))]
public sealed class ArchitectureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("llama-2", "F32", 1)]
    [InlineData("llama-3", "BF16", 3)]
    [InlineData("llama-3.2", "BF16", 1)]
    [InlineData("llama-with-biases", "F16", 1)]
    [InlineData("smollm2", "BF16", 1)]
    [InlineData("mistral", "BF16", 2)]
    [InlineData("qwen2", "F16", 2)]
    [InlineData("qwen3", "BF16", 1)]
    public void Torch_computes_what_the_plain_model_computes(string like, string type, int shards)
    {
        var checkpoint = HuggingFaceFolder.Write(_folder.Path, like, type, shards);
        AssertSame(checkpoint, Decoder.Load(_folder.Path), 1e-4f);
    }

    [Theory]
    [InlineData("llama-2")]
    [InlineData("llama-with-biases")]
    [InlineData("qwen3")]
    public void Weights_kept_as_bfloat16_give_the_same_where_they_were_bfloat16(string like)
    {
        var checkpoint = HuggingFaceFolder.Write(_folder.Path, like, "BF16");
        AssertSame(checkpoint, Decoder.Load(_folder.Path, ScalarType.BFloat16), 1e-4f);
    }

    [Theory]
    [InlineData("llama-3", "F16")]
    [InlineData("qwen2", "BF16")]
    [InlineData("qwen3", "F32")]
    public void A_folder_that_was_read_and_written_holds_the_same_values(string like, string type)
    {
        var checkpoint = HuggingFaceFolder.Write(_folder.Path, like, type, shards: 2);
        using var copy = new TemporaryFolder();

        Decoder.Load(_folder.Path).Save(copy.Path);

        var written = Checkpoint.Load(copy.Path);
        Assert.Equal(checkpoint.Config, written.Config);
        foreach (var (name, _) in Checkpoint.TensorsOf(checkpoint.Config)) Assert.Equal(checkpoint.Read(name).Data, written.Read(name).Data);
    }

    [Fact]
    public void Weights_too_large_for_one_file_are_written_as_shards()
    {
        var checkpoint = HuggingFaceFolder.Write(_folder.Path, "qwen3");
        using var copy = new TemporaryFolder();
        File.WriteAllText(Path.Combine(copy.Path, Checkpoint.ConfigFile), checkpoint.Config.ToJson());

        WeightWriter.Write(copy.Path, checkpoint.Config, n => checkpoint.Read(n).Data, maxShardBytes: 100_000);

        Assert.True(Directory.GetFiles(copy.Path, "model-*-of-*.safetensors").Length > 2);
        var written = Checkpoint.Load(copy.Path);
        foreach (var (name, _) in Checkpoint.TensorsOf(checkpoint.Config)) Assert.Equal(checkpoint.Read(name).Data, written.Read(name).Data);
    }

    internal static void AssertSame(Checkpoint checkpoint, Decoder decoder, float tolerance)
    {
        using var _ = no_grad();
        decoder.eval();
        decoder.Compute = ScalarType.Float32;
        var random = new Random(3);
        foreach (var length in new[] { 1, 7, 60 })
        {
            int[] tokens = [.. Enumerable.Range(0, length).Select(_ => random.Next(checkpoint.Config.VocabSize))];
            var expected = new PlainTransformer(checkpoint).Forward(tokens, []);
            var hidden = decoder.Run(decoder.Embed(tensor(Array.ConvertAll(tokens, t => (long)t)).unsqueeze(0), null))[0];
            var actual = decoder.Logits(hidden).data<float>().ToArray();
            var some = decoder.Logits(hidden, tensor(new long[] { 5, 299 })).data<float>().ToArray();
            for (var t = 0; t < length; t++)
            {
                for (var v = 0; v < expected[t].Length; v++) Assert.Equal(expected[t][v], actual[t * expected[t].Length + v], tolerance);
                Assert.Equal(expected[t][5], some[2 * t], tolerance);
                Assert.Equal(expected[t][299], some[2 * t + 1], tolerance);
            }
        }
    }
}
