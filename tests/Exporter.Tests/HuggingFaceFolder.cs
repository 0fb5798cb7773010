using System.Buffers.Binary;
using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Exporter.Tests;

/// <summary>Folders as others publish them: tiny models with random weights in any precision, whole or in shards, and nothing of ours beside them.</summary>
internal static class HuggingFaceFolder
{
    private static readonly string[] ChatTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    private const string Sizes = """
        "vocab_size": 300, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-06, "hidden_act": "silu", "use_cache": true, "torch_dtype": "bfloat16"
        """;

    /// <summary><c>config.json</c> by the name of what it is like.</summary>
    public static string Config(string like) => "{" + Sizes + like switch
    {
        "llama-2" => """, "model_type": "llama", "architectures": ["LlamaForCausalLM"], "head_dim": 16, "tie_word_embeddings": false""",
        "llama-3" => """
            , "model_type": "llama", "head_dim": 32, "tie_word_embeddings": false, "rope_theta": 500000.0, "attention_bias": false, "rope_scaling":
            {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 48, "rope_type": "llama3"}
            """,
        "llama-3.2" => """
            , "model_type": "llama", "head_dim": 32, "tie_word_embeddings": true, "rope_parameters": {"rope_theta": 500000.0, "factor": 32.0,
            "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 32, "rope_type": "llama3"}
            """,
        "llama-with-biases" => """
            , "model_type": "llama", "head_dim": 16, "tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true
            """,
        "smollm2" => """
            , "model_type": "llama", "head_dim": 16, "tie_word_embeddings": true, "rope_theta": 100000, "rope_scaling": null, "rope_interleaved": false
            """,
        "mistral" => """, "model_type": "mistral", "head_dim": 32, "tie_word_embeddings": false, "sliding_window": 1024""",
        "qwen2" => """
            , "model_type": "qwen2", "head_dim": 16, "tie_word_embeddings": true, "rope_theta": 1000000.0, "sliding_window": 32768,
            "max_window_layers": 21, "use_mrope": false, "use_sliding_window": false
            """,
        "qwen3" => """
            , "model_type": "qwen3", "head_dim": 32, "tie_word_embeddings": true, "attention_bias": false, "rope_theta": 1000000,
            "sliding_window": null, "use_sliding_window": false, "max_window_layers": 28
            """,
        _ => throw new ArgumentException($"No configuration is like {like}.", nameof(like)),
    } + "}";

    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="shards">1 for a single file without an index.</param>
    public static Checkpoint Write(string folder, string like, string type = "BF16", int shards = 1, int seed = 1)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Checkpoint.ConfigFile), Config(like));
        File.WriteAllText(Path.Combine(folder, Checkpoint.TokenizerFile), Tokenizer());
        var random = new Random(seed);
        var tensors = Checkpoint.TensorsOf(ModelConfig.Parse(Config(like))).Select(t => (t.Name, t.Shape, Data: Weights(random, t.Name, t.Shape))).ToList();
        if (shards == 1)
        {
            WriteTensors(Path.Combine(folder, Checkpoint.WeightsFile), type, tensors);
            return Checkpoint.Load(folder);
        }

        var places = new Dictionary<string, string>();
        for (var shard = 0; shard < shards; shard++)
        {
            var name = $"model-{shard + 1:D5}-of-{shards:D5}.safetensors";
            var part = tensors.Where((_, i) => i % shards == shard).ToList();
            foreach (var (tensor, _, _) in part) places.Add(tensor, name);
            WriteTensors(Path.Combine(folder, name), type, part);
        }

        File.WriteAllText(
            Path.Combine(folder, "model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { total_size = 1 }, weight_map = places }));
        return Checkpoint.Load(folder);
    }

    private static float[] Weights(Random random, string name, long[] shape)
    {
        var data = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var (center, spread) = (shape.Length, name.EndsWith(".bias", StringComparison.Ordinal)) switch
        {
            (1, true) => (0f, 0.5f),
            (1, false) => (1f, 0.5f),
            _ => (0f, 1.5f / MathF.Sqrt(shape[^1])),
        };
        for (var i = 0; i < data.Length; i++) data[i] = center + spread * (2 * random.NextSingle() - 1);
        return data;
    }

    private static void WriteTensors(string path, string type, List<(string Name, long[] Shape, float[] Data)> tensors)
    {
        using var data = new MemoryStream();
        Span<byte> bytes = stackalloc byte[4];
        var header = new Dictionary<string, object> { ["__metadata__"] = new { format = "pt" } };
        foreach (var (name, shape, values) in tensors)
        {
            var start = data.Position;
            foreach (var value in values)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                if (type == "F16") BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
                data.Write(type switch { "F32" => bytes, "F16" => bytes[..2], _ => bytes[2..] });
            }

            header.Add(name, new { dtype = type, shape, data_offsets = new[] { start, data.Position } });
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. data.ToArray()]);
    }

    /// <summary>A token for each byte, and the special tokens of a model for chats.</summary>
    private static string Tokenizer() => JsonSerializer.Serialize(new
    {
        added_tokens = ChatTokens.Select((content, i) => new { id = 256 + i, content, special = true }),
        pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, use_regex = true },
        model = new { type = "BPE", vocab = Enumerable.Range(0, 256).ToDictionary(b => ByteAlphabet.ToToken([(byte)b]), b => b), merges = Array.Empty<string>() },
    });
}
