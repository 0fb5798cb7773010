using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Upstream;

/// <summary>A chat completion, or a piece of a streamed one: the fields that matter here.</summary>
internal sealed record ChatChunk(string? Model, IReadOnlyList<ChatChoice>? Choices, ChatUsage? Usage, JsonElement? Error)
{
    private ChatChoice? Choice => Choices?.FirstOrDefault(choice => choice.Index == 0);

    public string Text => (Choice?.Message ?? Choice?.Delta)?.Content ?? "";

    public FinishReason? Finish => Choice?.FinishReason switch
    {
        null => null,
        "stop" => FinishReason.Stop,
        "length" => FinishReason.Length,
        "content_filter" => FinishReason.Withheld,
        _ => throw new UpstreamException(Errors.UpstreamFailed, "The upstream ended its answer with something that is not text."),
    };

    public bool IsWhole => Choice?.Message is not null;

    /// <exception cref="UpstreamException">It is not a chat completion, or an error in its place.</exception>
    public static ChatChunk Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            if (JsonSerializer.Deserialize(json, ChatJson.Default.ChatChunk) is { } chunk)
                return chunk.Error is null or { ValueKind: JsonValueKind.Null } ? chunk : throw new UpstreamException(Errors.UpstreamFailed, "The upstream sent an error in place of its answer.");
        }
        catch (JsonException malformed)
        {
            throw new UpstreamException(Errors.UpstreamFailed, "The upstream sent what is not a chat completion.", inner: malformed);
        }

        throw new UpstreamException(Errors.UpstreamFailed, "The upstream sent what is not a chat completion.");
    }
}

internal sealed record ChatChoice(int Index, ChatMessage? Message, ChatMessage? Delta, string? FinishReason);

internal sealed record ChatMessage(string? Content);

internal sealed record ChatUsage(int PromptTokens, int CompletionTokens);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatChunk))]
internal sealed partial class ChatJson : JsonSerializerContext;
