using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using SaferGuard.Api.Completions;

namespace SaferGuard.Api.OpenAI;

/// <summary>The parameters of a chat completion: which are read, which may be ignored, and which are refused since ignoring them would deceive.</summary>
internal static class ChatParameters
{
    private static readonly Dictionary<string, string> s_read = new()
    {
        ["model"] = "Any name; where an upstream with a model map answers, one that `GET /v1/models` lists. Responses repeat it.",
        ["messages"] = "The conversation. `developer` is `system`; `content` is text, or an array of parts of type `text`.",
        ["stream"] = "Send chunks as server-sent events.",
        ["stream_options"] = "`include_usage`: end the stream with a chunk that says what it cost.",
        ["max_tokens"] = "As `max_completion_tokens`.",
        ["max_completion_tokens"] = "The most tokens of the answer.",
        ["temperature"] = "How freely the answer is sampled, from 0 to 2.",
        ["seed"] = "Makes sampling repeatable.",
        ["saferguard"] = "Not of OpenAI: `trace`, `operating_point` and `policy` as for `/v1/complete`.",
    };

    /// <summary>How an answer is sampled, stored or paid for: none of it is a promise about what an answer says.</summary>
    private static readonly string[] s_ignored =
    [
        "top_p", "frequency_penalty", "presence_penalty", "reasoning_effort", "verbosity", "prediction", "parallel_tool_calls", "user", "safety_identifier",
        "prompt_cache_key", "prompt_cache_retention", "metadata", "store", "service_tier",
    ];

    /// <summary>What an answer is: only the values that ask for nothing are taken.</summary>
    private static readonly Dictionary<string, (Func<JsonElement, bool> AsksForNothing, string Only)> s_neutral = new()
    {
        ["n"] = (json => json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out var n) && n == 1, "1"),
        ["stop"] = (IsEmpty, "an empty array"),
        ["tools"] = (IsEmpty, "an empty array"),
        ["tool_choice"] = (json => IsText(json, "none") || IsText(json, "auto"), "none or auto"),
        ["functions"] = (IsEmpty, "an empty array"),
        ["function_call"] = (json => IsText(json, "none") || IsText(json, "auto"), "none or auto"),
        ["logprobs"] = (json => json.ValueKind == JsonValueKind.False, "false"),
        ["top_logprobs"] = (json => json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out var n) && n == 0, "0"),
        ["logit_bias"] = (json => json.ValueKind == JsonValueKind.Object && !json.EnumerateObject().Any(), "an empty object"),
        ["response_format"] = (IsTextFormat, "{\"type\": \"text\"}"),
        ["modalities"] = (json => json.ValueKind == JsonValueKind.Array && json.EnumerateArray().All(item => IsText(item, "text")), "[\"text\"]"),
        ["audio"] = (_ => false, "null"),
        ["web_search_options"] = (_ => false, "null"),
    };

    public static string[] All { get; } = [.. s_read.Keys, .. s_ignored, .. s_neutral.Keys];

    /// <summary>Adds an error for each parameter that asks for something that an answer from here would not have.</summary>
    public static void RefuseOthers(JsonFields fields, FieldErrors errors)
    {
        foreach (var (name, (asksForNothing, only)) in s_neutral)
        {
            if (fields.Raw(name) is { } value && !asksForNothing(value)) errors.Add(name, $"is not supported; leave it out, or give {only}");
        }
    }

    /// <summary>What the OpenAPI document says.</summary>
    public static OpenApiSchema Schema()
    {
        var properties = s_read.ToDictionary(read => read.Key, IOpenApiSchema (read) => new OpenApiSchema { Description = read.Value });
        foreach (var name in s_ignored) properties[name] = new OpenApiSchema { Description = "Ignored." };
        foreach (var (name, (_, only)) in s_neutral) properties[name] = new OpenApiSchema { Description = $"Not supported. Only {only} is taken." };
        return new()
        {
            Type = JsonSchemaType.Object,
            Properties = properties,
            AdditionalPropertiesAllowed = false,
            Required = new HashSet<string> { "model", "messages" },
            Examples = [JsonNode.Parse("""{"model": "safer-nano", "messages": [{"role": "user", "content": "How do I sharpen a kitchen knife?"}]}""")!],
        };
    }

    private static bool IsEmpty(JsonElement json) => json.ValueKind == JsonValueKind.Array && json.GetArrayLength() == 0;

    private static bool IsText(JsonElement json, string text) => json.ValueKind == JsonValueKind.String && json.ValueEquals(text);

    private static bool IsTextFormat(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("type", out var type) && IsText(type, "text");
}
