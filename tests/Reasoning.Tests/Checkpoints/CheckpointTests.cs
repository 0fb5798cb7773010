using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private static readonly ModelConfig Config = new()
    {
        VocabSize = 11,
        HiddenSize = 8,
        IntermediateSize = 12,
        NumHiddenLayers = 2,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        MaxPositionEmbeddings = 32,
        TieWordEmbeddings = true,
        SaferguardNgrams = new NgramConfig(2, 16, 4),
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_with_every_tensor_loads()
    {
        Write(Config, Tensors(Config));
        var checkpoint = Checkpoint.Load(_folder.Path);
        Assert.Equal(Config, checkpoint.Config);
        Assert.Equal([4, 8], checkpoint.Read(Checkpoint.LayerTensor(1, "self_attn.k_proj")).Shape);
    }

    [Fact]
    public void Every_wrong_tensor_is_named()
    {
        var tensors = Tensors(Config);
        tensors.RemoveAll(t => t.Name == Checkpoint.FinalNorm);
        Replace(tensors, Checkpoint.NgramProjection, [4, 8], 1f);
        Replace(tensors, Checkpoint.EmbedTokens, [11, 8], float.NaN);
        tensors.Add(("model.layers.0.self_attn.q_proj.bias", [8], new float[8]));
        Write(Config, tensors);

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message;
        Assert.Contains("model.norm.weight is missing", error);
        Assert.Contains("model.ngram_proj.weight is [4, 8] but config.json asks for [8, 4]", error);
        Assert.Contains("model.embed_tokens.weight has values that are not finite", error);
        Assert.Contains("model.layers.0.self_attn.q_proj.bias is unexpected", error);
    }

    [Fact]
    public void A_configuration_beyond_the_weights_lists_a_bounded_number_of_errors()
    {
        Write(Config with { NumHiddenLayers = 1 << 22 }, Tensors(Config));
        Assert.InRange(Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message.Length, 1, 4000);
    }

    [Fact]
    public void An_unknown_config_field_is_refused_by_name()
    {
        Write(Config, Tensors(Config));
        var json = File.ReadAllText(_folder[Checkpoint.ConfigFile]);
        File.WriteAllText(_folder[Checkpoint.ConfigFile], json.Replace("\"model_type\"", "\"rope_scaling\": {\"factor\": 8}, \"model_type\""));
        Assert.Contains("rope_scaling", Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message);
    }

    [Theory]
    [InlineData("llama", "lm_head.weight")]
    [InlineData("llama", "model.layers.1.self_attn.o_proj.bias")]
    [InlineData("llama", "model.layers.1.mlp.down_proj.bias")]
    [InlineData("qwen2", "model.layers.0.self_attn.v_proj.bias")]
    [InlineData("qwen3", "model.layers.0.self_attn.k_norm.weight")]
    public void What_an_architecture_has_must_be_there(string type, string tensor)
    {
        var config = Config with { ModelType = type, HeadDim = 2, TieWordEmbeddings = false, AttentionBias = type == "llama", MlpBias = type == "llama" };
        var tensors = Tensors(config);
        Write(config, tensors);
        Checkpoint.Load(_folder.Path);
        Assert.Equal(1, tensors.RemoveAll(t => t.Name == tensor));
        Write(config, tensors);
        Assert.Contains($"{tensor} is missing", Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message);
    }

    [Fact]
    public void A_tied_head_may_repeat_the_embedding_and_nothing_else()
    {
        var tensors = Tensors(Config);
        tensors.Add((Checkpoint.Head, [11, 8], new float[88]));
        Write(Config, tensors);
        Checkpoint.Load(_folder.Path);
        Replace(tensors, Checkpoint.Head, [11, 8], 1f);
        Write(Config, tensors);
        Assert.Contains("lm_head.weight is not the embedding", Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("config.json", Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message);

    private static List<(string Name, long[] Shape, float[] Data)> Tensors(ModelConfig config) =>
        [.. Checkpoint.TensorsOf(config).Select(t => (t.Name, t.Shape, new float[t.Shape.Aggregate(1L, (a, b) => a * b)]))];

    private static void Replace(List<(string Name, long[] Shape, float[] Data)> tensors, string name, long[] shape, float value)
    {
        var data = new float[shape[0] * shape[1]];
        Array.Fill(data, value);
        tensors[tensors.FindIndex(t => t.Name == name)] = (name, shape, data);
    }

    private void Write(ModelConfig config, List<(string Name, long[] Shape, float[] Data)> tensors)
    {
        File.WriteAllText(_folder[Checkpoint.ConfigFile], config.ToJson());
        SafeTensors.Write(_folder[Checkpoint.WeightsFile], tensors);
    }
}
