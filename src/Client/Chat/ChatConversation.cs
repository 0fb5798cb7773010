using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SaferGuard.Client.Chat;

/// <summary>A chat as the service judges it. Each message is one turn, so that what is said of turns can be applied to messages.</summary>
internal sealed class ChatConversation
{
    /// <summary>Escapes would hide words of other scripts from the guard.</summary>
    private static readonly JsonSerializerOptions s_readable =
        new(AIJsonUtilities.DefaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = false };

    private readonly List<ChatMessage> _messages;
    private readonly int _instructions;

    public ChatConversation(IEnumerable<ChatMessage> messages, string? instructions)
    {
        _messages = [.. messages];
        _instructions = string.IsNullOrWhiteSpace(instructions) ? 0 : 1;
        IEnumerable<Message> before = _instructions == 0 ? [] : [new Message(Role.System, instructions!)];
        Turns = [.. before, .. _messages.Select(message => new Message(RoleOf(message), TextOf(message.Contents)))];
        Unjudgeable = _messages.SelectMany(message => message.Contents).FirstOrDefault(content => Text(content) is null)?.GetType().Name;
    }

    public IReadOnlyList<Message> Turns { get; }

    /// <summary>A kind of content that no text can be made of; null when there is none.</summary>
    public string? Unjudgeable { get; }

    /// <summary>The messages that may be forwarded: without turns that are over and were refused, and with what is to be heeded.</summary>
    public IReadOnlyList<ChatMessage> Forward(IReadOnlyCollection<int> withheld, string? care)
    {
        var forwarded = _messages.Where((_, index) => !withheld.Contains(index + _instructions)).ToList();
        if (care is not null) forwarded.Insert(forwarded.TakeWhile(message => message.Role == ChatRole.System).Count(), new(ChatRole.System, care));
        return forwarded;
    }

    /// <summary>All that can be judged of some contents, without what cannot.</summary>
    public static string TextOf(IEnumerable<AIContent> contents) => string.Join('\n', contents.Select(Text).Where(text => !string.IsNullOrEmpty(text)));

    /// <summary>Null when no text can be made of it.</summary>
    public static string? Text(AIContent content) => content switch
    {
        TextContent text => text.Text,
        TextReasoningContent reasoning => reasoning.Text,
        ErrorContent error => error.Message,
        FunctionCallContent call => $"{call.Name}({Json(call.Arguments)})",
        FunctionResultContent { Result: string result } => result,
        FunctionResultContent { Result: JsonElement { ValueKind: JsonValueKind.String } result } => result.GetString()!,
        FunctionResultContent result => Json(result.Result),
        UsageContent => "",
        _ => null,
    };

    private static Role RoleOf(ChatMessage message) => message.Role.Value switch
    {
        "system" or "developer" => Role.System,
        "assistant" => Role.Assistant,
        "tool" => Role.Tool,
        _ => Role.User,
    };

    private static string? Json(object? value)
    {
        try
        {
            return value is null ? "" : JsonSerializer.Serialize(value, s_readable.GetTypeInfo(value.GetType()));
        }
        catch (Exception unknown) when (unknown is NotSupportedException or JsonException)
        {
            return null;
        }
    }
}
