using System.Text.Json;
using System.Text.Json.Nodes;
using SaferGuard.Training.Model;

namespace SaferGuard.Training.Adapters;

/// <summary>
/// <c>adapter_config.json</c> of a LoRA adapter, in PEFT's names. What would change the arithmetic and is not supported is refused when read.
/// </summary>
/// <param name="Tokens">Ids of the tokens whose rows were trained.</param>
internal sealed record AdapterConfig(int Rank, double Alpha, IReadOnlyList<int> Tokens)
{
    public const string FileName = "adapter_config.json";

    private const string Type = "peft_type", R = "r", LoraAlpha = "lora_alpha", Bias = "bias", TokenIndices = "trainable_token_indices";

    /// <summary>Fields that do not change what a trained adapter computes. Which modules it adapts is said by the names of its tensors.</summary>
    private static readonly HashSet<string> Ignorable =
    [
        "task_type", "base_model_name_or_path", "revision", "peft_version", "auto_mapping", "inference_mode", "init_lora_weights", "lora_dropout",
        "target_modules", "exclude_modules", "megatron_core", "qalora_group_size", "loftq_config", "eva_config", "corda_config", "runtime_config",
        "ensure_weight_tying",
    ];

    /// <param name="tables">The token tables whose rows were trained.</param>
    public static string ToJson(Adaptation adaptation, IEnumerable<string> tables, string baseModel)
    {
        var (lora, tokens) = adaptation;
        return new JsonObject
        {
            [Type] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = baseModel,
            [R] = lora.Rank,
            [LoraAlpha] = lora.Alpha,
            ["lora_dropout"] = lora.Dropout,
            ["target_modules"] = new JsonArray([.. lora.Targets.Split(',', StringSplitOptions.TrimEntries).Select(t => JsonValue.Create(t))]),
            [TokenIndices] = new JsonObject(tables.Select(t => KeyValuePair.Create(t, (JsonNode?)JsonSerializer.SerializeToNode(tokens)))),
            [Bias] = "none",
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["use_dora"] = false,
            ["use_rslora"] = false,
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    /// <exception cref="InvalidDataException">The file is no LoRA adapter's, or asks for what is not supported.</exception>
    public static AdapterConfig Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new InvalidDataException($"{folder} is no adapter: it has no {FileName}.");
        try
        {
            var fields = JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new InvalidDataException($"{FileName} is no object.");
            if (fields[Type]?.ToString() != "LORA") throw new InvalidDataException($"{FileName}: {Type} '{fields[Type]}' is not supported (LORA is).");
            var (rank, alpha) = (fields[R]?.GetValue<int>(), fields[LoraAlpha]?.GetValue<double>());
            if (rank is not > 0 || alpha is not > 0) throw new InvalidDataException($"{FileName}: {R} and {LoraAlpha} must be above 0.");
            var tokens = TokensOf(fields[TokenIndices]);
            foreach (var (name, value) in fields.Where(f => f.Key is not (Type or R or LoraAlpha or TokenIndices) && !Ignorable.Contains(f.Key)))
            {
                if (!IsUnused(name, value)) throw new InvalidDataException($"{FileName}: {name} {value?.ToJsonString()} is not supported.");
            }

            return new AdapterConfig(rank.Value, alpha.Value, tokens);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{FileName}: {e.Message}", e);
        }
    }

    /// <summary>The indices, which may stand for the embedding alone or for each table by its name; then they must be the same.</summary>
    private static int[] TokensOf(JsonNode? node)
    {
        var lists = node switch
        {
            null => [],
            JsonObject byTable => [.. byTable.Select(t => t.Value.Deserialize<int[]>() ?? [])],
            _ => new[] { node.Deserialize<int[]>() ?? [] },
        };
        if (lists.Length == 0) return [];
        if (lists.Any(l => !l.SequenceEqual(lists[0])))
            throw new InvalidDataException($"{FileName}: {TokenIndices} differ between embedding and head, which is not supported.");
        return lists[0];
    }

    private static bool IsUnused(string name, JsonNode? value) => value switch
    {
        null => true,
        JsonArray array => array.Count == 0,
        JsonObject fields => fields.Count == 0,
        _ => value.GetValueKind() == JsonValueKind.False || (name == Bias && value.ToString() == "none"),
    };
}
