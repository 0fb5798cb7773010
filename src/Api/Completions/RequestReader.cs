using System.Buffers;
using System.Text.Json;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>Reads the JSON body of a request into a valid request, or says everything that is wrong with it.</summary>
internal static class RequestReader
{
    private const int MaxDepth = 8;

    /// <exception cref="ProblemException">The body is not a valid request.</exception>
    public static AssessRequest ReadAssess(ReadOnlySequence<byte> body, LimitOptions limits) => Read(body, MaxDepth, (json, errors) =>
    {
        var fields = new JsonFields(json, "", errors, "input", "messages", "response", "trace", "operating_point", "policy");
        var response = fields.Text("response");
        if (response is "") errors.Add("response", "must not be empty");
        return ReadSubject(fields, errors, limits, new AssessRequest()) with { Response = response };
    });

    /// <exception cref="ProblemException">The body is not a valid request.</exception>
    public static CompleteRequest ReadComplete(ReadOnlySequence<byte> body, LimitOptions limits) => Read(body, MaxDepth, (json, errors) =>
    {
        var fields = new JsonFields(json, "", errors, "input", "messages", "trace", "operating_point", "policy", "model", "max_tokens", "temperature", "seed", "stream");
        var defaults = new CompleteRequest();
        return ReadSubject(fields, errors, limits, defaults) with
        {
            Model = fields.Text("model"),
            MaxTokens = fields.Integer("max_tokens", 1, limits.MaxAnswerTokens),
            Temperature = fields.Number("temperature", 0, CompleteRequest.MaxTemperature),
            Seed = fields.Integer("seed", 0, int.MaxValue),
            Stream = fields.Boolean("stream") ?? defaults.Stream,
        };
    });

    /// <summary>Reads a body in the way of any surface that takes JSON.</summary>
    /// <exception cref="ProblemException">The body is not JSON, or <paramref name="read"/> found errors.</exception>
    public static T Read<T>(ReadOnlySequence<byte> body, int maxDepth, Func<JsonElement, FieldErrors, T> read)
    {
        using var json = Parse(body, new() { MaxDepth = maxDepth });
        var errors = new FieldErrors();
        var request = read(json.RootElement, errors);
        return errors.Count == 0
            ? request
            : throw new ProblemException(Errors.InvalidRequest, "Mend the fields that are named in errors. Nothing was judged.", errors.All);
    }

    private static JsonDocument Parse(ReadOnlySequence<byte> body, JsonDocumentOptions options)
    {
        try
        {
            return JsonDocument.Parse(body, options);
        }
        catch (JsonException malformed)
        {
            // The reader's message ends with its own, zero-based form of the position.
            var reason = malformed.Message.AsSpan();
            var position = reason.IndexOf(" LineNumber:", StringComparison.Ordinal);
            if (position >= 0) reason = reason[..position];
            throw new ProblemException(
                Errors.InvalidRequest,
                "Send one JSON object in UTF-8.",
                new FieldError("body", $"is not JSON at line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine + 1}: {reason}"));
        }
    }

    private static T ReadSubject<T>(JsonFields fields, FieldErrors errors, LimitOptions limits, T request)
        where T : AssessRequest
    {
        var (hasInput, hasMessages) = (fields.Has("input"), fields.Has("messages"));
        if (hasInput && hasMessages) errors.Add("messages", "must not be given together with input; choose one");
        else if (fields.IsObject && !hasInput && !hasMessages) errors.Add("input", "is missing; give input or messages");

        var input = fields.Text("input");
        if (input is not null && string.IsNullOrWhiteSpace(input)) errors.Add("input", "must not be empty");
        return request with
        {
            Input = input,
            Messages = fields.Array("messages") is { } messages ? ReadMessages(messages, errors, limits, ReadMessage) : null,
            Trace = fields.Choice<TraceLevel>("trace") ?? request.Trace,
            OperatingPoint = fields.Choice<OperatingPoint>("operating_point"),
            Policy = fields.Text("policy", AssessRequest.MaxPolicyLength),
        };
    }

    /// <param name="read">Reads one message, given its path.</param>
    public static List<Message> ReadMessages(
        JsonElement json, FieldErrors errors, LimitOptions limits, Func<JsonElement, string, FieldErrors, Message> read)
    {
        var messages = new List<Message>();
        if (json.GetArrayLength() > limits.MaxTurns)
        {
            errors.Add("messages", $"must have at most {limits.MaxTurns} messages, not {json.GetArrayLength()}");
            return messages;
        }

        var before = errors.Count;
        foreach (var item in json.EnumerateArray()) messages.Add(read(item, $"messages[{messages.Count}]", errors));

        if (errors.Count == before && messages.All(message => string.IsNullOrWhiteSpace(message.Content)))
        {
            errors.Add("messages", "must have at least one message that is not empty");
        }

        return messages;
    }

    private static Message ReadMessage(JsonElement json, string path, FieldErrors errors)
    {
        var fields = new JsonFields(json, path, errors, "role", "content");
        fields.Require("role", "content");
        return new(fields.Choice<Role>("role") ?? default, fields.Text("content") ?? "");
    }
}
