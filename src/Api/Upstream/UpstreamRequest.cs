using System.Text.Json.Nodes;
using SaferGuard.Api.Answers;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Upstream;

/// <summary>Writes the body of a chat completion.</summary>
internal static class UpstreamRequest
{
    public static byte[] Write(AnswerRequest request)
    {
        var (completion, conversation) = (request.Completion, request.Conversation);
        var body = new JsonObject { ["model"] = request.Model, ["messages"] = Messages(conversation, Guidance(request.Judgment, request.Policy)) };
        if (completion.MaxTokens is { } most) body["max_tokens"] = most;
        if (completion.Temperature is { } temperature) body["temperature"] = temperature;
        if (completion.Seed is { } seed) body["seed"] = seed;
        if (request.Streams)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        return System.Text.Encoding.UTF8.GetBytes(body.ToJsonString());
    }

    /// <summary>How to answer what is to be answered with care: the strategy of the trace and the texts of the rules that ask for it.</summary>
    private static string? Guidance(Judgment? judgment, Policy policy)
    {
        if (judgment?.Trace.Path is not { Decision: Decision.Care } path) return null;
        var rules = judgment.Trace.RuleChecks
            .Where(check => check is { Verdict: Verdict.Violated, Enforcement: Enforcement.Enforce } && policy.TryGetRule(check.Rule, out var rule) && rule.Effect == RuleEffect.Care)
            .Select(check => policy.TryGetRule(check.Rule, out var rule) ? rule.Text : "");
        return string.Join('\n', ["Answer the request with care.", .. path.Strategy is { } strategy ? [strategy] : Array.Empty<string>(), .. rules]);
    }

    private static JsonArray Messages(Conversation conversation, string? guidance)
    {
        var messages = new JsonArray();
        if (guidance is not null && conversation.Turns[0].Role != Role.System) messages.Add(Message("system", guidance));
        for (var turn = 0; turn < conversation.Turns.Count; turn++)
        {
            var (role, content) = conversation.Turns[turn];
            // Servers take one system message more surely than two.
            if (turn == 0 && role == Role.System && guidance is not null) content = $"{content}\n\n{guidance}";
            if (role == Role.Tool)
            {
                Caller(messages)["tool_calls"]!.AsArray().Add(new JsonObject
                {
                    ["id"] = IdOf(turn),
                    ["type"] = "function",
                    ["function"] = new JsonObject { ["name"] = "tool", ["arguments"] = "{}" },
                });
                messages.Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = IdOf(turn), ["content"] = content });
            }
            else
            {
                messages.Add(Message(role.ToString().ToLowerInvariant(), content));
            }
        }

        return messages;
    }

    /// <summary>
    /// The assistant message whose calls the next tool message answers. Our requests do not carry calls, but servers want each result to have one.
    /// </summary>
    private static JsonNode Caller(JsonArray messages)
    {
        var caller = messages.LastOrDefault(message => (string)message!["role"]! != "tool");
        if (caller is null || (string)caller["role"]! != "assistant") messages.Add(caller = Message("assistant", ""));
        caller["tool_calls"] ??= new JsonArray();
        return caller;
    }

    private static string IdOf(int turn) => $"call_{turn}";

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
