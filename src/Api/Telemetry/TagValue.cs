using System.Text.Json;
using System.Text.Json.Nodes;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Telemetry;

/// <summary>What the domain's values are called as values of attributes.</summary>
internal static class TagValue
{
    /// <summary>The name that the API gives the value.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>The kind of error, by the one table. That a caller went away is nobody's error, but no success either.</summary>
    public static string Of(Exception fault) => fault is OperationCanceledException ? "cancelled" : Errors.Of(fault).Kind.Name;

    /// <summary>Messages as the GenAI conventions write them. Only for services that capture content.</summary>
    public static string Of(Conversation conversation) => Messages(conversation.Turns.Select(turn => (Of(turn.Role), turn.Content)));

    /// <inheritdoc cref="Of(Conversation)"/>
    public static string Of(OutputBody output) => Messages([(Of(Role.Assistant), output.Text)]);

    private static string Messages(IEnumerable<(string Role, string Text)> messages) => new JsonArray([.. messages.Select(message => new JsonObject
    {
        ["role"] = message.Role,
        ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["content"] = message.Text }),
    })]).ToJsonString();
}
