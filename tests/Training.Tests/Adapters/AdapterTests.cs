using System.Text.Json.Nodes;
using SaferGuard.Exporter.Tests;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Adapters;
using SaferGuard.Training.Model;
using SaferGuard.Training.Tests.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Adapters;

[Collection(nameof(Torch))]
public sealed class AdapterTests : IDisposable
{
    private static readonly Adaptation Adaptation = new(new LoraOptions { Rank = 4, Alpha = 12, Dropout = 0.5 }, [256, 7, 299]);

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private string Base => Path.Combine(_folder.Path, "base");

    private string Adapter => Directory.CreateDirectory(Path.Combine(_folder.Path, "adapter")).FullName;

    private string Merged => Directory.CreateDirectory(Path.Combine(_folder.Path, "merged")).FullName;

    [Theory]
    [InlineData("llama-2")]
    [InlineData("qwen3")]
    public void A_fresh_adapter_changes_nothing(string like)
    {
        var checkpoint = HuggingFaceFolder.Write(Base, like);
        var decoder = Decoder.Load(Base);

        decoder.Adapt(Adaptation);

        ArchitectureTests.AssertSame(checkpoint, decoder, 1e-4f);
    }

    [Theory]
    [InlineData("llama-2", ScalarType.Float32)]
    [InlineData("llama-with-biases", ScalarType.Float32)]
    [InlineData("llama-with-biases", ScalarType.BFloat16)]
    [InlineData("qwen3", ScalarType.BFloat16)]
    public void Merged_weights_compute_what_weights_and_adapter_compute(string like, ScalarType matrices)
    {
        HuggingFaceFolder.Write(Base, like);
        var decoder = Adapted(matrices);

        decoder.Save(Merged);

        var merged = Checkpoint.Load(Merged);
        ArchitectureTests.AssertSame(merged, decoder, 1e-3f);
        Assert.NotEqual(Checkpoint.Load(Base).Read(Checkpoint.LayerTensor(2, "mlp.down_proj")).Data, merged.Read(Checkpoint.LayerTensor(2, "mlp.down_proj")).Data);
    }

    [Theory]
    [InlineData("llama-2")]
    [InlineData("qwen2")]
    public void An_adapter_that_was_saved_is_merged_as_it_was(string like)
    {
        HuggingFaceFolder.Write(Base, like);
        var decoder = Adapted(ScalarType.Float32);
        AdapterFolder.Save(decoder, Adapter, "base");

        MergeCommand.Merge(Base, Adapter, Merged);

        ArchitectureTests.AssertSame(Checkpoint.Load(Merged), decoder, 1e-3f);
        Assert.True(File.Exists(Path.Combine(Merged, Checkpoint.TokenizerFile)));
    }

    [Theory]
    [InlineData("llama-2", new[] { "embed_tokens", "lm_head" })]
    [InlineData("qwen3", new[] { "embed_tokens" })]
    public void Names_and_shapes_are_those_of_PEFT(string like, string[] tables)
    {
        HuggingFaceFolder.Write(Base, like);
        AdapterFolder.Save(Adapted(ScalarType.Float32, "q_proj,down_proj"), Adapter, "our/base");

        var tensors = SafeTensors.Read(Path.Combine(Adapter, AdapterFolder.WeightsFile));
        Assert.Equal(3 * 2 * 2 + tables.Length, tensors.Names.Count);
        Assert.Equal([4, 48], tensors["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"].Shape);
        Assert.Equal([48, 4], tensors["base_model.model.model.layers.2.mlp.down_proj.lora_B.weight"].Shape);
        Assert.Equal([3, 48], tensors["base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta"].Shape);
        Assert.Equal(tables.Contains("lm_head"), tensors.Names.Contains("base_model.model.lm_head.token_adapter.trainable_tokens_delta"));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Adapter, AdapterConfig.FileName)))!;
        Assert.Equal("LORA", config["peft_type"]!.GetValue<string>());
        Assert.Equal("our/base", config["base_model_name_or_path"]!.GetValue<string>());
        Assert.Equal((4, 12.0), (config["r"]!.GetValue<int>(), config["lora_alpha"]!.GetValue<double>()));
        Assert.Equal("""["q_proj","down_proj"]""", config["target_modules"]!.ToJsonString());
        Assert.Equal(tables, config["trainable_token_indices"]!.AsObject().Select(t => t.Key));
        Assert.Equal("[256,7,299]", config["trainable_token_indices"]!["embed_tokens"]!.ToJsonString());
    }

    [Theory]
    [InlineData("use_dora", "true")]
    [InlineData("use_rslora", "true")]
    [InlineData("rank_pattern", """{"q_proj": 8}""")]
    [InlineData("modules_to_save", """["lm_head"]""")]
    [InlineData("bias", "\"all\"")]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("lora_alpha", "0")]
    [InlineData("r", "5")]
    [InlineData("r", "\"four\"")]
    [InlineData("trainable_token_indices", "[256, 7]")]
    [InlineData("trainable_token_indices", "[256, 7, 300]")]
    public void An_adapter_that_would_compute_something_else_is_refused(string field, string value)
    {
        HuggingFaceFolder.Write(Base, "qwen2");
        AdapterFolder.Save(Adapted(ScalarType.Float32), Adapter, "base");
        var path = Path.Combine(Adapter, AdapterConfig.FileName);
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(path, config.ToJsonString());

        Assert.Throws<InvalidDataException>(() => MergeCommand.Merge(Base, Adapter, Merged));
    }

    [Fact]
    public void An_adapter_of_another_model_is_refused()
    {
        HuggingFaceFolder.Write(Base, "qwen2");
        AdapterFolder.Save(Adapted(ScalarType.Float32), Adapter, "base");
        var other = Path.Combine(_folder.Path, "other");
        HuggingFaceFolder.Write(other, "llama-2");

        var message = Assert.Throws<InvalidDataException>(() => MergeCommand.Merge(other, Adapter, Merged)).Message;

        Assert.Contains("lm_head", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_twin_says_the_same_until_it_learns_and_then_alone()
    {
        HuggingFaceFolder.Write(Base, "qwen2");
        var decoder = Adapted(ScalarType.BFloat16);
        var twin = decoder.Twin();
        using var _ = no_grad();
        decoder.eval();
        twin.eval();
        Assert.Equal(Logits(decoder), Logits(twin));

        var before = Logits(decoder);
        foreach (var (_, parameter) in twin.Trained()) parameter.normal_();

        Assert.Equal(before, Logits(decoder));
        Assert.NotEqual(before, Logits(twin));

        static float[] Logits(Decoder decoder) =>
            decoder.Logits(decoder.Run(decoder.Embed(tensor(new long[] { 7, 8, 256, 9 }).unsqueeze(0), null))[0]).data<float>().ToArray();
    }

    /// <summary>The base with an adapter whose every value is random.</summary>
    private Decoder Adapted(ScalarType matrices, string? targets = null)
    {
        manual_seed(5);
        var decoder = Decoder.Load(Base, matrices);
        decoder.Adapt(targets is null ? Adaptation : Adaptation with { Lora = Adaptation.Lora with { Targets = targets } });
        using var _ = no_grad();
        foreach (var (_, parameter) in decoder.Trained()) parameter.normal_(0, 0.1);
        return decoder;
    }
}
