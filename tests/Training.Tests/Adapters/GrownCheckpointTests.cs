using System.Text.Json.Nodes;
using SaferGuard.Exporter.Tests;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Adapters;

namespace SaferGuard.Training.Tests.Adapters;

public sealed class GrownCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Source => Path.Combine(_folder.Path, "source");

    private string Grown => Path.Combine(_folder.Path, "grown");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama-2", new[] { Checkpoint.EmbedTokens, Checkpoint.Head })]
    [InlineData("qwen3", new[] { Checkpoint.EmbedTokens })]
    public void New_tokens_get_rows_near_the_mean_and_everything_else_stays(string like, string[] tables)
    {
        var source = HuggingFaceFolder.Write(Source, like, "BF16", shards: 2);
        var known = GuardTokenizer.Load(Path.Combine(Source, Checkpoint.TokenizerFile)).VocabularySize;

        var count = GrownCheckpoint.Write(Source, Grown, seed: 1);

        var grown = Checkpoint.Load(Grown);
        Assert.Equal(TraceFormat.SpecialTokens.Count, count);
        Assert.Equal(source.Config with { VocabSize = known + count }, grown.Config);
        foreach (var (name, _) in Checkpoint.TensorsOf(source.Config))
        {
            var (before, after) = (source.Read(name).Data, grown.Read(name).Data);
            if (!tables.Contains(name))
            {
                Assert.Equal(before, after);
                continue;
            }

            var size = source.Config.HiddenSize;
            Assert.Equal(before[..(known * size)], after[..(known * size)]);
            float[][] rows = [.. after.Chunk(size)];
            for (var column = 0; column < size; column++)
            {
                var (old, fresh) = (rows[..known].Select(r => r[column]).ToList(), rows[known..].Select(r => r[column]).ToList());
                var deviation = Math.Sqrt(old.Average(v => (v - old.Average()) * (v - old.Average())));
                Assert.Equal(old.Average(), fresh.Average(), 0.25 * deviation);
                Assert.All(fresh, v => Assert.InRange(Math.Abs(v - old.Average()), 0, 1.5 * deviation));
            }

            Assert.Equal(count, rows[known..].Select(r => r[0]).Distinct().Count());
        }
    }

    [Fact]
    public void The_grown_tokeniser_has_every_trace_token_and_encodes_text_as_before()
    {
        HuggingFaceFolder.Write(Source, "llama-3");
        GrownCheckpoint.Write(Source, Grown, seed: 1);

        var (before, after) = (Tokenizer(Source), Tokenizer(Grown));

        Assert.Empty(after.MissingTraceTokens);
        _ = new TraceTokens(after, PolicyReader.Default);
        var (expected, actual) = (new List<TokenSpan>(), new List<TokenSpan>());
        before.Encode("Ünïcode <|user|> text", expected);
        after.Encode("Ünïcode <|user|> text", actual);
        Assert.Equal(expected, actual);
        Assert.Equal(before.VocabularySize, TraceFormat.SpecialTokens.Min(after.SpecialId));
    }

    [Fact]
    public void Rows_beyond_the_vocabulary_are_used_before_the_table_grows()
    {
        HuggingFaceFolder.Write(Source, "qwen2");
        RewriteTable(rows: 1000);

        GrownCheckpoint.Write(Source, Grown, seed: 1);

        Assert.Equal(1000, Checkpoint.Load(Grown).Config.VocabSize);
        var table = Checkpoint.Load(Grown).Read(Checkpoint.EmbedTokens);
        Assert.Equal(0, table.Data[^1]);
        Assert.NotEqual(0, table.Data[259 * table.Shape[1]]);
    }

    [Fact]
    public void Tokens_that_are_there_are_not_added_again()
    {
        HuggingFaceFolder.Write(Source, "qwen2");
        GrownCheckpoint.Write(Source, Grown, seed: 1);

        var again = Assert.Throws<InvalidDataException>(() => GrownCheckpoint.Write(Grown, Path.Combine(_folder.Path, "again"), seed: 1));

        Assert.Contains("already", again.Message, StringComparison.Ordinal);
        var path = Path.Combine(Source, Checkpoint.TokenizerFile);
        var root = JsonNode.Parse(File.ReadAllText(path))!;
        root["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = 259, ["content"] = TraceFormat.User, ["special"] = true });
        File.WriteAllText(path, root.ToJsonString());
        Assert.Equal(TraceFormat.SpecialTokens.Count - 1, GrownCheckpoint.Write(Source, Path.Combine(_folder.Path, "partly"), seed: 1));
    }

    [Fact]
    public void A_tokeniser_with_more_tokens_than_the_model_has_rows_is_refused()
    {
        HuggingFaceFolder.Write(Source, "qwen2");
        RewriteTable(rows: 200);

        Assert.Throws<InvalidDataException>(() => GrownCheckpoint.Write(Source, Grown, seed: 1));
    }

    private static GuardTokenizer Tokenizer(string folder) => GuardTokenizer.Load(Path.Combine(folder, Checkpoint.TokenizerFile));

    /// <summary>Cuts the table, or fills it up with zeros.</summary>
    private void RewriteTable(int rows)
    {
        var checkpoint = Checkpoint.Load(Source);
        (string, long[], float[])[] tensors = [.. Checkpoint.TensorsOf(checkpoint.Config).Select(t => (t.Name, t.Shape, checkpoint.Read(t.Name).Data))];
        var (name, shape, data) = tensors[0];
        Assert.Equal(Checkpoint.EmbedTokens, name);
        Array.Resize(ref data, rows * (int)shape[1]);
        data.AsSpan(Math.Min(data.Length, 300 * (int)shape[1])).Clear();
        tensors[0] = (name, [rows, shape[1]], data);
        SafeTensors.Write(Path.Combine(Source, Checkpoint.WeightsFile), tensors);
        File.WriteAllText(Path.Combine(Source, Checkpoint.ConfigFile), (checkpoint.Config with { VocabSize = rows }).ToJson());
    }
}
