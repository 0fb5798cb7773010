using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter.Tests;

public sealed class ReferenceTests : IDisposable
{
    private static readonly ModelConfig Config = TinyCheckpoint.Config(ngrams: false) with { VocabSize = 4, MaxPositionEmbeddings = 8 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sequences_and_logits_are_read()
    {
        Write("""{"sequences":[{"tokens":[0,3],"rows":[1],"greedy":[2]}]}""", [1, 4]);
        var reference = Reference.Load(_folder.Path, Config);
        Assert.Equal([2], Assert.Single(reference.Sequences).Greedy);
        Assert.Equal([0, 1, 2, 3], reference.LogitsOf(0).ToArray());
    }

    [Theory]
    [InlineData("""{"sequences":[]}""", "no sequences")]
    [InlineData("""{"sequences":[null]}""", "sequence 0: it is null")]
    [InlineData("""{"sequences":[{"tokens":[],"rows":[0],"greedy":[0]}]}""", "0 tokens")]
    [InlineData("""{"sequences":[{"tokens":[0,0,0,0,0,0,0,0,0],"rows":[0],"greedy":[0]}]}""", "9 tokens")]
    [InlineData("""{"sequences":[{"tokens":[4],"rows":[0],"greedy":[0]}]}""", "not in the vocabulary")]
    [InlineData("""{"sequences":[{"tokens":[0],"rows":[0],"greedy":[-1]}]}""", "not in the vocabulary")]
    [InlineData("""{"sequences":[{"tokens":[0],"rows":[1],"greedy":[0]}]}""", "ascending positions")]
    [InlineData("""{"sequences":[{"tokens":[0,1],"rows":[1,0],"greedy":[0,0]}]}""", "ascending positions")]
    [InlineData("""{"sequences":[{"tokens":[0],"rows":[0],"greedy":[]}]}""", "same length")]
    [InlineData("""{"sequences":[{"tokens":[0,1],"rows":[0,1],"greedy":[0,1]}]}""", "(rows, vocabulary)")]
    [InlineData("""{"sequences":[{"tokens":[0],"rows":[0],"greedy":[0]},{"tokens":[0],"rows":[0],"greedy":[0]}]}""", "no logits.1")]
    [InlineData("""{"sequences":[{"tokens":[0],"rows":[0]}]}""", "greedy")]
    [InlineData("""{"sequences":[{"tokens":null,"rows":[0],"greedy":[0]}]}""", "tokens")]
    [InlineData("""{"sequences":[{"tokens":[0],"rows":[0],"greedy":[0],"more":1}]}""", "more")]
    [InlineData("""{"sequences":[{"tokens":[1e20],"rows":[0],"greedy":[0]}]}""", "Int32")]
    [InlineData("null", "empty")]
    [InlineData("", "JSON")]
    public void A_reference_that_contradicts_itself_is_refused(string json, string reason)
    {
        Write(json, [1, 4]);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Reference.Load(_folder.Path, Config)).Message);
    }

    [Fact]
    public void A_checkpoint_without_a_reference_is_refused() =>
        Assert.Contains("reference.json", Assert.Throws<InvalidDataException>(() => Reference.Load(_folder.Path, Config)).Message);

    private void Write(string json, long[] shape)
    {
        File.WriteAllText(_folder[Reference.SequencesFile], json);
        SafeTensors.Write(_folder[Reference.LogitsFile], [("logits.0", shape, [0, 1, 2, 3])]);
    }
}
