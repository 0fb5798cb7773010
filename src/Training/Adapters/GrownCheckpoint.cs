using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;

namespace SaferGuard.Training.Adapters;

/// <summary>
/// A checkpoint of others with the special tokens of our traces: <c>tokenizer.json</c> gets those that it lacks, the embedding and the head a row
/// for each. Rows that a checkpoint keeps beyond its vocabulary are used first.
/// </summary>
internal static class GrownCheckpoint
{
    /// <summary>New rows lie around the mean of the known ones, by this share of their spread, so that none is out of the way or like another.</summary>
    private const float Spread = 0.25f;

    /// <summary>What goes with a model for others; nothing here reads it.</summary>
    private static readonly string[] Companions =
        ["tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "chat_template.jinja", "README.md", "LICENSE"];

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    /// <returns>The number of new tokens.</returns>
    /// <exception cref="InvalidDataException">The source is no checkpoint with a tokeniser that serving supports, or has all tokens.</exception>
    public static int Write(string source, string target, int seed)
    {
        var checkpoint = Checkpoint.Load(source);
        var tokenizerPath = Path.Combine(source, Checkpoint.TokenizerFile);
        if (!File.Exists(tokenizerPath)) throw new InvalidDataException($"{source} has no {Checkpoint.TokenizerFile}.");
        var tokenizer = GuardTokenizer.Load(tokenizerPath);
        var known = tokenizer.VocabularySize;
        if (known > checkpoint.Config.VocabSize)
            throw new InvalidDataException($"The tokeniser has {known} tokens but the model only {checkpoint.Config.VocabSize} rows for them.");
        var missing = tokenizer.MissingTraceTokens;
        if (missing.Count == 0) throw new InvalidDataException($"{source} has all tokens of the trace format already.");

        var vocabulary = Math.Max(checkpoint.Config.VocabSize, known + missing.Count);
        Directory.CreateDirectory(target);
        WriteTokenizer(tokenizerPath, Path.Combine(target, Checkpoint.TokenizerFile), missing, known);
        WriteConfig(source, target, vocabulary);
        WeightWriter.Write(target, ModelConfig.Read(target), name =>
        {
            var (shape, data) = checkpoint.Read(name);
            return name is Checkpoint.EmbedTokens or Checkpoint.Head
                ? Grow(data, (int)shape[1], known, missing.Count, vocabulary, new Random(seed))
                : data;
        });
        foreach (var file in Companions.Where(f => File.Exists(Path.Combine(source, f))))
            File.Copy(Path.Combine(source, file), Path.Combine(target, file));
        _ = GuardTokenizer.Load(Path.Combine(target, Checkpoint.TokenizerFile));
        return missing.Count;
    }

    /// <summary>A table (vocabulary, size) whose rows from <paramref name="known"/> on are new.</summary>
    private static float[] Grow(float[] table, int size, int known, int count, int vocabulary, Random random)
    {
        var (sums, squares) = (new double[size], new double[size]);
        for (var i = 0; i < known * (long)size; i++)
        {
            sums[i % size] += table[i];
            squares[i % size] += (double)table[i] * table[i];
        }

        var grown = new float[(long)vocabulary * size];
        table.CopyTo(grown, 0);
        for (var row = known; row < known + count; row++)
        {
            for (var column = 0; column < size; column++)
            {
                var mean = sums[column] / known;
                var deviation = Math.Sqrt(Math.Max(0, squares[column] / known - mean * mean));
                grown[(long)row * size + column] = (float)(mean + Spread * deviation * Gaussian(random));
            }
        }

        return grown;
    }

    /// <summary>A draw from the standard normal distribution, by Box and Muller.</summary>
    private static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static void WriteTokenizer(string source, string target, IReadOnlyList<string> missing, int firstId)
    {
        var root = JsonNode.Parse(File.ReadAllBytes(source))!.AsObject();
        if (root["added_tokens"] is not JsonArray added) root["added_tokens"] = added = [];
        for (var i = 0; i < missing.Count; i++)
        {
            added.Add(new JsonObject
            {
                ["id"] = firstId + i,
                ["content"] = missing[i],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            });
        }

        File.WriteAllText(target, root.ToJsonString(Json));
    }

    /// <summary>Keeps what is said for others, such as the tokens that end a text.</summary>
    private static void WriteConfig(string source, string target, int vocabulary)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, Checkpoint.ConfigFile)))!.AsObject();
        config["vocab_size"] = vocabulary;
        foreach (var name in (string[])["torch_dtype", "dtype"])
        {
            if (config.ContainsKey(name)) config[name] = "float32";
        }

        File.WriteAllText(Path.Combine(target, Checkpoint.ConfigFile), config.ToJsonString(Json));
    }
}
