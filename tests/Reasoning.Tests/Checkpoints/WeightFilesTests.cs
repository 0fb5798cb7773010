using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Tests.Checkpoints;

public sealed class WeightFilesTests : IDisposable
{
    private const string First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors";

    private static readonly ModelConfig Config = new()
    {
        VocabSize = 11,
        HiddenSize = 8,
        IntermediateSize = 12,
        NumHiddenLayers = 1,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        MaxPositionEmbeddings = 32,
    };

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _places = [];

    public WeightFilesTests()
    {
        File.WriteAllText(_folder[Checkpoint.ConfigFile], Config.ToJson());
        var tensors = Checkpoint.TensorsOf(Config).Select((t, i) => (t.Name, t.Shape, Data: Filled(t.Shape, i))).ToList();
        foreach (var (name, _, _) in tensors) _places[name] = _places.Count < 5 ? First : Second;
        foreach (var shard in new[] { First, Second }) SafeTensors.Write(_folder[shard], [.. tensors.Where(t => _places[t.Name] == shard)]);
        WriteIndex();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_are_one_checkpoint()
    {
        var checkpoint = Checkpoint.Load(_folder.Path);
        var index = 0;
        foreach (var (name, shape) in Checkpoint.TensorsOf(Config))
        {
            Assert.Equal(shape, checkpoint.Read(name).Shape);
            Assert.Equal(Filled(shape, index++), checkpoint.Read(name).Data);
        }
    }

    [Fact]
    public void A_single_file_goes_before_an_index()
    {
        var tensors = Checkpoint.TensorsOf(Config).Select(t => (t.Name, t.Shape, Filled(t.Shape, -1))).ToList();
        SafeTensors.Write(_folder[Checkpoint.WeightsFile], tensors);
        Assert.All(Checkpoint.Load(_folder.Path).Read(Checkpoint.FinalNorm).Data, value => Assert.Equal(-1, value));
    }

    [Fact]
    public void A_tensor_in_another_shard_than_the_index_says_is_refused()
    {
        _places[Checkpoint.EmbedTokens] = Second;
        WriteIndex();
        var error = Refusal();
        Assert.Contains($"{First} has {Checkpoint.EmbedTokens}, which the index does not say", error);
        Assert.Contains($"{Second} has no {Checkpoint.EmbedTokens}", error);
    }

    [Fact]
    public void A_tensor_that_no_shard_has_is_refused()
    {
        _places["model.extra.weight"] = First;
        WriteIndex();
        Assert.Contains($"{First} has no model.extra.weight", Refusal());
    }

    [Fact]
    public void Every_missing_shard_is_named()
    {
        File.Delete(_folder[First]);
        File.Delete(_folder[Second]);
        var error = Refusal();
        Assert.Contains($"{First} is missing", error);
        Assert.Contains($"{Second} is missing", error);
    }

    [Fact]
    public void A_shard_that_is_cut_is_refused()
    {
        using (var file = File.OpenWrite(_folder[Second])) file.SetLength(file.Length - 1);
        Assert.Contains(Second, Refusal());
    }

    [Fact]
    public void A_file_that_changes_while_it_is_read_is_noticed()
    {
        var checkpoint = Checkpoint.Load(_folder.Path);
        using (var file = File.OpenWrite(_folder[First])) file.SetLength(file.Length + 1);
        Assert.Contains("has been changed", Assert.Throws<InvalidDataException>(() => checkpoint.Read(Checkpoint.EmbedTokens)).Message);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData(".safetensors")]
    [InlineData("a/b.safetensors")]
    [InlineData("a\\b.safetensors")]
    [InlineData("C:model.safetensors")]
    [InlineData("model.safetensors\n")]
    [InlineData("model\u0000.safetensors")]
    [InlineData("config.json")]
    public void A_shard_outside_the_folder_is_refused_unread(string name)
    {
        _places[Checkpoint.EmbedTokens] = name;
        WriteIndex();
        Assert.Contains("is not the plain name", Refusal());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"weight_map": {}}""")]
    [InlineData("""{"weight_map": []}""")]
    [InlineData("""{"weight_map": {"a": 1}}""")]
    [InlineData("""{"weight_map": {"a": null}}""")]
    [InlineData("""{"weight_map": {"a": "\ud800.safetensors"}}""")]
    [InlineData("""{"weight_map": {"\ud800": "a.safetensors"}}""")]
    [InlineData("""{"weight_map": {"a": "a.safetensors", "a": "b.safetensors"}}""")]
    public void An_index_that_is_none_is_refused(string json)
    {
        File.WriteAllText(_folder[WeightFiles.IndexFile], json);
        Assert.Contains(WeightFiles.IndexFile, Refusal());
    }

    [Fact]
    public void An_index_of_countless_shards_is_refused_unread()
    {
        for (var i = 0; i < 2000; i++) _places[$"t{i}"] = $"{i}.safetensors";
        WriteIndex();
        Assert.Contains("more than 1024 shards", Refusal());
    }

    [Fact]
    public void A_huge_index_is_refused_unread()
    {
        using (var file = File.OpenWrite(_folder[WeightFiles.IndexFile])) file.SetLength((16 << 20) + 1);
        Assert.Contains("16 MB", Refusal());
    }

    [Fact]
    public void A_folder_without_weights_says_so()
    {
        File.Delete(_folder[WeightFiles.IndexFile]);
        Assert.Contains(Checkpoint.WeightsFile, Refusal());
    }

    private static float[] Filled(long[] shape, float value)
    {
        var data = new float[shape.Aggregate(1L, (a, b) => a * b)];
        Array.Fill(data, value);
        return data;
    }

    private string Refusal() => Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_folder.Path)).Message;

    private void WriteIndex() => File.WriteAllText(
        _folder[WeightFiles.IndexFile], JsonSerializer.Serialize(new { metadata = new { total_size = 4.5e9 }, weight_map = _places }));
}
