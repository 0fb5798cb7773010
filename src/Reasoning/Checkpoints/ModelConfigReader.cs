using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>Reads what the versions of Hugging Face's transformers write as <c>config.json</c>, and says everything that is wrong with it at once.</summary>
internal static class ModelConfigReader
{
    private const string RopeParameters = "rope_parameters", RopeTheta = "rope_theta", RopeScaling = "rope_scaling";
    private const string SlidingWindow = "sliding_window", UseSlidingWindow = "use_sliding_window", AttentionBias = "attention_bias";
    private const string LayerTypes = "layer_types";

    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Fields that do not change the arithmetic of a forward pass. Which layers have a window does not matter to who stays within it.</summary>
    private static readonly HashSet<string> Ignorable =
    [
        "architectures", "_name_or_path", "bos_token_id", "eos_token_id", "pad_token_id", "initializer_range", "torch_dtype", "dtype",
        "transformers_version", "use_cache", "attention_dropout", "pretraining_tp", "is_llama_config", "transformers.js_config",
        "unsloth_fixed", "unsloth_version", "max_window_layers",
    ];

    /// <summary>Fields that every model type has.</summary>
    private static readonly HashSet<string> Shared =
    [
        "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "max_position_embeddings", "rms_norm_eps", "head_dim", RopeTheta, RopeScaling, RopeParameters, "tie_word_embeddings", "hidden_act",
        "saferguard_ngrams",
    ];

    /// <summary>Fields that only some model types have: the others would ignore them.</summary>
    private static readonly Dictionary<string, string[]> Own = new()
    {
        [ModelConfig.Llama] = [AttentionBias, "mlp_bias", "rope_interleaved"],
        [ModelConfig.Mistral] = [SlidingWindow],
        [ModelConfig.Qwen2] = [SlidingWindow, UseSlidingWindow, LayerTypes, "use_mrope"],
        [ModelConfig.Qwen3] = [AttentionBias, SlidingWindow, UseSlidingWindow, LayerTypes],
    };

    /// <summary>Fields that stand for another arithmetic unless they are false.</summary>
    private static readonly string[] FalseOnly = ["rope_interleaved", "use_mrope"];

    /// <exception cref="InvalidDataException">A field is missing, unknown or out of range; the message names every one.</exception>
    public static ModelConfig Parse(string json)
    {
        var errors = new List<string>();
        var config = TryRead(json, errors);
        return config is not null && errors.Count == 0
            ? config
            : throw new InvalidDataException($"{Checkpoint.ConfigFile}: {string.Join("; ", errors)}");
    }

    private static ModelConfig? TryRead(string json, List<string> errors)
    {
        try
        {
            if (JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) is not JsonObject fields)
            {
                errors.Add("it is no object");
                return null;
            }

            CheckNames(fields, errors);
            foreach (var name in FalseOnly)
            {
                if (IsTrue(fields, name)) errors.Add($"{name} is not supported");
                fields.Remove(name);
            }

            ReadLayerTypes(fields, errors);
            ReadRopeParameters(fields, errors);
            ReadRopeScaling(fields, errors);
            var config = fields.Deserialize<ModelConfig>(Json)!;
            errors.AddRange(config.Errors());
            return config;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            errors.Add(e.Message);
            return null;
        }
    }

    /// <summary>Leaves only fields that the model type has.</summary>
    private static void CheckNames(JsonObject fields, List<string> errors)
    {
        foreach (var name in Ignorable) fields.Remove(name);
        var type = fields["model_type"]?.ToString();
        var known = Shared.ToHashSet();
        if (type is not null && Own.TryGetValue(type, out var own)) known.UnionWith(own);
        else known.UnionWith(Own.Values.SelectMany(o => o));
        if (type is not null && !Own.ContainsKey(type))
            errors.Add($"model_type '{type}' is not supported ({string.Join(", ", Own.Keys)} are)");
        if (type == ModelConfig.Mistral && !fields.ContainsKey(SlidingWindow))
            errors.Add($"{SlidingWindow} is missing (null says that there is none)");
        foreach (var name in fields.Select(f => f.Key).Where(n => !known.Contains(n)).ToList())
        {
            errors.Add($"{name} is not supported{(type is null ? "" : $" for {type}")}");
            fields.Remove(name);
        }
    }

    /// <summary>A window binds all layers here (<see cref="ModelConfig.MaxPositions"/>), so that it only matters that nothing else is meant.</summary>
    private static void ReadLayerTypes(JsonObject fields, List<string> errors)
    {
        if (!fields.Remove(LayerTypes, out var layers) || layers is null) return;
        string[] known = IsTrue(fields, UseSlidingWindow) ? ["full_attention", "sliding_attention"] : ["full_attention"];
        if (layers is not JsonArray types || types.Any(t => t?.GetValueKind() != JsonValueKind.String || !known.Contains(t.GetValue<string>())))
            errors.Add($"{LayerTypes} has others than {string.Join(" and ", known)}");
    }

    /// <summary>transformers 5 says in one field what two said before.</summary>
    private static void ReadRopeParameters(JsonObject fields, List<string> errors)
    {
        if (!fields.Remove(RopeParameters, out var value) || value is null) return;
        if (fields[RopeTheta] is not null || fields[RopeScaling] is not null)
            errors.Add($"{RopeParameters} stands beside {RopeTheta} or {RopeScaling}");
        var parameters = ObjectOf(value, RopeParameters);
        if (parameters.Remove(RopeTheta, out var theta)) fields[RopeTheta] = theta;
        else errors.Add($"{RopeParameters} has no {RopeTheta}");
        fields[RopeScaling] = parameters;
    }

    /// <summary>Leaves nothing but a scaling that is one.</summary>
    private static void ReadRopeScaling(JsonObject fields, List<string> errors)
    {
        if (fields[RopeScaling] is not { } value) return;
        var scaling = ObjectOf(value, RopeScaling);
        scaling.Remove("type", out var oldName);
        var type = (scaling["rope_type"] ?? oldName)?.ToString();
        if (type == Checkpoints.RopeScaling.Llama3)
        {
            scaling["rope_type"] = type;
            return;
        }

        scaling.Remove("rope_type");
        fields.Remove(RopeScaling);
        if (type != "default") errors.Add($"{RopeScaling}: rope_type '{type}' is not supported (default and {Checkpoints.RopeScaling.Llama3} are)");
        else if (scaling.Count > 0) errors.Add($"{RopeScaling}: {string.Join(", ", scaling.Select(s => s.Key))} mean nothing for rope_type default");
    }

    private static bool IsTrue(JsonObject fields, string name) => fields[name]?.GetValueKind() switch
    {
        JsonValueKind.True => true,
        null or JsonValueKind.False => false,
        _ => throw new JsonException($"{name} must be true or false"),
    };

    private static JsonObject ObjectOf(JsonNode value, string name) => value as JsonObject ?? throw new JsonException($"{name} is no object");
}
