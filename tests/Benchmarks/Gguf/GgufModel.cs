using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Benchmarks.Gguf;

/// <summary>
/// A Hugging Face checkpoint folder as llama.cpp reads it. It interprets <c>config.json</c> by itself: as a reference it must not share the mistakes
/// of what it is held against. Our n-gram embeddings have no counterpart and are left out.
/// </summary>
internal sealed class GgufModel
{
    private static readonly Dictionary<string, string> LayerNames = new()
    {
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.o_proj"] = "attn_output",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["post_attention_layernorm"] = "ffn_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
    };

    private readonly JsonNode _config;
    private readonly string _architecture;
    private readonly int _heads, _kvHeads, _headSize;

    private GgufModel(JsonNode config)
    {
        _config = config;

        // Mistral differs from Llama only by a window that is as long as the context.
        _architecture = Text("model_type") is "qwen2" or "qwen3" ? Text("model_type") : "llama";
        _heads = Number("num_attention_heads");
        _kvHeads = Number("num_key_value_heads");
        _headSize = config["head_dim"]?.GetValue<int>() ?? Number("hidden_size") / _heads;
    }

    /// <exception cref="InvalidDataException">The folder has a tensor that GGUF has no name for.</exception>
    public static void Write(string checkpoint, string path, GgufType type)
    {
        var model = new GgufModel(JsonNode.Parse(File.ReadAllText(Path.Combine(checkpoint, Checkpoint.ConfigFile)))!);
        var file = new GgufFile();
        model.AddConfiguration(file, type);
        GgufVocabulary.Add(file, checkpoint, model._config);
        model.AddRotaryFactors(file);
        foreach (var shard in Directory.EnumerateFiles(checkpoint, "model*.safetensors").Order(StringComparer.Ordinal))
        {
            var tensors = SafeTensors.Read(shard);
            foreach (var name in tensors.Names.Where(n => !n.StartsWith("model.ngram_", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                var (shape, data) = tensors[name];
                file.AddTensor(NameOf(name), shape, shape.Length == 1 ? GgufType.F32 : type, model.Arrange(name, shape, data));
            }
        }

        file.Save(path);
    }

    private static string NameOf(string name)
    {
        var dot = name.LastIndexOf('.');
        var (stem, kind) = (name[..dot], name[dot..]); // kind: .weight or .bias
        return stem switch
        {
            "model.embed_tokens" => $"token_embd{kind}",
            "model.norm" => $"output_norm{kind}",
            "lm_head" => $"output{kind}",
            _ when stem.Split('.', 4) is ["model", "layers", var layer, var part] && LayerNames.TryGetValue(part, out var block) => $"blk.{layer}.{block}{kind}",
            _ => throw new InvalidDataException($"GGUF has no name for the tensor {name}."),
        };
    }

    private void AddConfiguration(GgufFile file, GgufType type)
    {
        file.Add("general.architecture", _architecture);
        file.Add("general.name", "checkpoint");
        file.Add("general.file_type", type switch { GgufType.F32 => 0, GgufType.F16 => 1, _ => 7 });
        file.Add($"{_architecture}.context_length", Number("max_position_embeddings"));
        file.Add($"{_architecture}.embedding_length", Number("hidden_size"));
        file.Add($"{_architecture}.block_count", Number("num_hidden_layers"));
        file.Add($"{_architecture}.feed_forward_length", Number("intermediate_size"));
        file.Add($"{_architecture}.attention.head_count", _heads);
        file.Add($"{_architecture}.attention.head_count_kv", _kvHeads);
        file.Add($"{_architecture}.attention.key_length", _headSize);
        file.Add($"{_architecture}.attention.value_length", _headSize);
        file.Add($"{_architecture}.attention.layer_norm_rms_epsilon", _config["rms_norm_eps"]?.GetValue<float>() ?? 1e-5f);
        file.Add($"{_architecture}.rope.dimension_count", _headSize);
        file.Add($"{_architecture}.rope.freq_base", RopeTheta);
        file.Add($"{_architecture}.vocab_size", Number("vocab_size"));
    }

    /// <summary>transformers 5 says in <c>rope_parameters</c> what two fields said before.</summary>
    private float RopeTheta => (_config["rope_theta"] ?? _config["rope_parameters"]?["rope_theta"])?.GetValue<float>() ?? 10_000f;

    /// <summary>Llama 3's scaling: what each rotation's frequency is divided by, (Dh / 2).</summary>
    private void AddRotaryFactors(GgufFile file)
    {
        if ((_config["rope_scaling"] ?? _config["rope_parameters"]) is not { } scaling) return;
        var type = (scaling["rope_type"] ?? scaling["type"])?.GetValue<string>();
        if (type == "default") return;
        if (type != "llama3") throw new InvalidDataException($"rope_scaling '{type}' is not supported (llama3 is).");
        double factor = Value("factor"), low = Value("low_freq_factor"), high = Value("high_freq_factor");
        var context = Value("original_max_position_embeddings");
        var factors = new float[_headSize / 2];
        for (var i = 0; i < factors.Length; i++)
        {
            var turns = context * Math.Pow(RopeTheta, -2.0 * i / _headSize) / (2 * Math.PI); // in the original context
            var share = Math.Clamp((turns - low) / (high - low), 0, 1);
            factors[i] = (float)(1 / ((1 - share) / factor + share));
        }

        file.AddTensor("rope_freqs.weight", [factors.Length], GgufType.F32, factors);

        double Value(string name) => scaling[name]!.GetValue<double>();
    }

    /// <summary>
    /// For the architecture "llama", llama.cpp rotates neighbouring pairs of a head where Hugging Face rotates its halves: rows of the query and key
    /// projections are interleaved.
    /// </summary>
    private float[] Arrange(string name, long[] shape, float[] data)
    {
        var heads = name.Contains(".q_proj.", StringComparison.Ordinal) ? _heads : name.Contains(".k_proj.", StringComparison.Ordinal) ? _kvHeads : 0;
        if (_architecture != "llama" || heads == 0) return data;
        var columns = shape.Length == 1 ? 1 : (int)shape[1];
        var half = _headSize / 2;
        var arranged = new float[data.Length];
        for (var row = 0; row < shape[0]; row++)
        {
            var (head, i) = Math.DivRem(row, _headSize);
            var target = head * _headSize + (i < half ? 2 * i : 2 * (i - half) + 1);
            data.AsSpan(row * columns, columns).CopyTo(arranged.AsSpan(target * columns));
        }

        return arranged;
    }

    private int Number(string name) => _config[name]?.GetValue<int>() ?? throw new InvalidDataException($"config.json has no {name}.");

    private string Text(string name) => _config[name]?.GetValue<string>() ?? throw new InvalidDataException($"config.json has no {name}.");
}
