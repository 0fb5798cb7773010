using System.Buffers;
using System.Text.Json;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.OpenAI;

/// <summary>Reads the body of a chat completion as <see cref="RequestReader"/> reads ours: whole, or with everything that is wrong with it.</summary>
internal static class ChatRequestReader
{
    /// <summary>Schemas of tools and formats are deep. They are refused, but by their name.</summary>
    private const int MaxDepth = 64;

    private const int MaxModelLength = 256;

    private enum ChatRole
    {
        System,
        Developer,
        User,
        Assistant,
        Tool,
        Function,
    }

    /// <exception cref="ProblemException">The body is not a valid request.</exception>
    public static ChatRequest Read(ReadOnlySequence<byte> body, LimitOptions limits) => RequestReader.Read(body, MaxDepth, (json, errors) =>
    {
        var fields = new JsonFields(json, "", errors, ChatParameters.All).WithoutNulls();
        fields.Require("model", "messages");
        ChatParameters.RefuseOthers(fields, errors);
        var model = fields.Text("model") ?? "";
        if (model.Length > MaxModelLength || (fields.Has("model") && string.IsNullOrWhiteSpace(model)))
            errors.Add("model", $"must be a name of at most {MaxModelLength} characters");

        var options = Object(fields, errors, "stream_options", "include_usage", "include_obfuscation");
        var ours = Object(fields, errors, "saferguard", "trace", "operating_point", "policy");
        var defaults = new CompleteRequest();
        var (total, answer) = (fields.Integer("max_tokens", 1, limits.MaxAnswerTokens), fields.Integer("max_completion_tokens", 1, limits.MaxAnswerTokens));
        return new ChatRequest(
            model,
            defaults with
            {
                Messages = fields.Array("messages") is { } messages ? RequestReader.ReadMessages(messages, errors, limits, ReadMessage) : [],
                Trace = ours?.Choice<TraceLevel>("trace") ?? defaults.Trace,
                OperatingPoint = ours?.Choice<OperatingPoint>("operating_point"),
                Policy = ours?.Text("policy", AssessRequest.MaxPolicyLength),
                Model = model,
                MaxTokens = answer ?? total,
                Temperature = fields.Number("temperature", 0, CompleteRequest.MaxTemperature),
                Seed = fields.Integer("seed", 0, int.MaxValue),
                Stream = fields.Boolean("stream") ?? defaults.Stream,
            },
            options?.Boolean("include_usage") ?? false);
    });

    private static JsonFields? Object(JsonFields fields, FieldErrors errors, string name, params ReadOnlySpan<string> known) =>
        fields.Raw(name) is { } json ? new JsonFields(json, name, errors, known).WithoutNulls() : null;

    private static Message ReadMessage(JsonElement json, string path, FieldErrors errors)
    {
        var fields = new JsonFields(
            json, path, errors, "role", "content", "refusal", "name", "tool_call_id", "tool_calls", "function_call", "audio", "annotations").WithoutNulls();
        fields.Require("role");
        foreach (var name in (ReadOnlySpan<string>)["tool_calls", "function_call", "audio"])
        {
            if (fields.Raw(name) is { } value && !(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0))
                errors.Add(fields.Field(name), "is not supported; give what it says as content");
        }

        return new(RoleOf(fields.Choice<ChatRole>("role") ?? default), ReadContent(fields, errors));
    }

    private static Role RoleOf(ChatRole role) => role switch
    {
        ChatRole.System or ChatRole.Developer => Role.System,
        ChatRole.User => Role.User,
        ChatRole.Assistant => Role.Assistant,
        _ => Role.Tool,
    };

    private static string ReadContent(JsonFields fields, FieldErrors errors)
    {
        if (!fields.Has("content") && fields.Has("refusal")) return fields.Text("refusal") ?? "";
        fields.Require("content");
        return fields.Raw("content") is { ValueKind: JsonValueKind.Array } parts ? ReadParts(parts, fields.Field("content"), errors) : fields.Text("content") ?? "";
    }

    private static string ReadParts(JsonElement json, string path, FieldErrors errors)
    {
        var texts = new List<string>();
        foreach (var part in json.EnumerateArray())
        {
            var fields = new JsonFields(
                part, $"{path}[{texts.Count}]", errors, "type", "text", "refusal", "image_url", "input_audio", "file").WithoutNulls();
            fields.Require("type");
            var type = fields.Text("type");
            if (type is "text" or "refusal") fields.Require(type);
            else if (type is not null) errors.Add(fields.Field("type"), "must be text: only text can be judged, and nothing goes on unjudged");
            texts.Add(type is "text" or "refusal" ? fields.Text(type) ?? "" : "");
        }

        return string.Join('\n', texts);
    }
}
