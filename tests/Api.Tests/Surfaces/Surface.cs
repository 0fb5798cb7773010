using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Rpc;
using Grpc.Core;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Tests.Surfaces;

/// <summary>What a surface made of one prompt.</summary>
/// <param name="Told">What a client is told, in a few words.</param>
/// <param name="Refuse">The probability of a refusal, where the prompt was judged.</param>
internal sealed record Outcome(string Told, double? Refuse = null);

/// <summary>A way to ask the service.</summary>
internal sealed record Surface(string Name, Func<Service, string, Task<Outcome>> AskAsync)
{
    public static IReadOnlyList<Surface> All { get; } =
    [
        new("REST assess", (service, prompt) => RestAsync(service, "/v1/assess", Body(prompt))),
        new("REST complete", (service, prompt) => RestAsync(service, "/v1/complete", Body(prompt, ("max_tokens", 4)))),
        new("REST stream", (service, prompt) => RestStreamAsync(service, Body(prompt, ("max_tokens", 4), ("stream", true)))),
        new("gRPC Assess", (service, prompt) => GrpcAsync(async guard => await guard.AssessAsync(new() { Input = prompt }), service)),
        new("gRPC Complete", (service, prompt) => GrpcAsync(async guard => await guard.CompleteAsync(new() { Input = prompt, MaxTokens = 4 }), service)),
        new("gRPC stream", (service, prompt) => GrpcAsync(guard => LastAsync(guard, prompt), service)),
        new("OpenAI chat", (service, prompt) => ChatAsync(service, Chat(prompt))),
        new("OpenAI stream", (service, prompt) => ChatStreamAsync(service, Chat(prompt, ("stream", true)))),
        new("OpenAI moderation", (service, prompt) => ModerateAsync(service, Body(prompt))),
    ];

    private static JsonObject Body(string prompt, params ReadOnlySpan<(string Name, JsonNode Value)> fields) => With(new() { ["input"] = prompt }, fields);

    private static JsonObject Chat(string prompt, params ReadOnlySpan<(string Name, JsonNode Value)> fields) => With(
        new() { ["model"] = "m", ["max_tokens"] = 4, ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = prompt }) }, fields);

    private static JsonObject With(JsonObject body, ReadOnlySpan<(string Name, JsonNode Value)> fields)
    {
        foreach (var (name, value) in fields) body[name] = value;
        return body;
    }

    private static Task<Reply> PostAsync(Service service, string path, JsonObject body) => service.PostAsync(path, Encoding.UTF8.GetBytes(body.ToJsonString()));

    private static async Task<Outcome> RestAsync(Service service, string path, JsonObject body)
    {
        var reply = await PostAsync(service, path, body);
        return reply.Status == 200 ? Judged("200", reply.Json) : new($"{reply.Status} {Kind(reply.Json)}");
    }

    private static async Task<Outcome> RestStreamAsync(Service service, JsonObject body)
    {
        var reply = await PostAsync(service, "/v1/complete", body);
        if (reply.Status != 200) return new($"{reply.Status} {Kind(reply.Json)}");
        var events = await EventsAsync(reply);
        if (events[^1].EventType == "error") return new($"200 … {Kind(Json(events[^1].Data))}");
        Assert.Equal("[DONE]", events[^1].Data);
        return Judged("200", Json(events[^2].Data));
    }

    private static async Task<Outcome> GrpcAsync(Func<GuardService.GuardServiceClient, Task<Judgment>> call, Service service)
    {
        try
        {
            var judgment = await call(new(service.Channel));
            var reason = judgment.FinishReason == FinishReason.Unspecified ? "" : Ended(WireName.Of(judgment.FinishReason));
            return new($"OK {WireName.Of(judgment.Decision)}{reason}", judgment.Scores.Refuse);
        }
        catch (RpcException fault)
        {
            return new($"{fault.StatusCode} {fault.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason}");
        }
    }

    private static async Task<Judgment> LastAsync(GuardService.GuardServiceClient guard, string prompt)
    {
        using var call = guard.CompleteStream(new() { Input = prompt, MaxTokens = 4 });
        return (await call.ResponseStream.ReadAllAsync().LastAsync()).Completion;
    }

    private static async Task<Outcome> ChatAsync(Service service, JsonObject body)
    {
        var reply = await PostAsync(service, "/v1/chat/completions", body);
        return reply.Status == 200 ? Filtered(reply.Json, reply.Json.GetProperty("choices")[0]) : new($"{reply.Status} {Code(reply.Json)}");
    }

    private static async Task<Outcome> ChatStreamAsync(Service service, JsonObject body)
    {
        var reply = await PostAsync(service, "/v1/chat/completions", body);
        if (reply.Status != 200) return new($"{reply.Status} {Code(reply.Json)}");
        var events = await EventsAsync(reply);
        if (events[^1].Data != "[DONE]") return new($"200 … {Code(Json(events[^1].Data))}");
        var last = Json(events[^2].Data);
        return Filtered(last, last.GetProperty("choices")[0]);
    }

    private static async Task<Outcome> ModerateAsync(Service service, JsonObject body)
    {
        var reply = await PostAsync(service, "/v1/moderations", body);
        if (reply.Status != 200) return new($"{reply.Status} {Code(reply.Json)}");
        var result = reply.Json.GetProperty("results")[0];
        var verdict = result.GetProperty("saferguard");
        return new($"200 {verdict.GetProperty("decision")}{(result.GetProperty("flagged").GetBoolean() ? " flagged" : "")}", Score(verdict));
    }

    private static Outcome Judged(string status, JsonElement body) => new(
        $"{status} {body.GetProperty("decision")}{(body.TryGetProperty("finish_reason", out var reason) ? Ended(reason.GetString()) : "")}", Score(body));

    private static Outcome Filtered(JsonElement body, JsonElement choice)
    {
        var verdict = body.GetProperty("saferguard");
        return new($"200 {verdict.GetProperty("decision")}{Ended(choice.GetProperty("finish_reason").GetString())}", Score(verdict));
    }

    /// <summary>The model that answers in tests writes noise: whether that stops by itself says nothing.</summary>
    private static string Ended(string? reason) => reason is "stop" or "length" ? " answered" : $" {reason}";

    private static double Score(JsonElement judgment) => judgment.GetProperty("scores").GetProperty("refuse").GetDouble();

    private static string Kind(JsonElement problem) => problem.GetProperty("type").GetString()!["urn:saferguard:problem:".Length..];

    private static string Code(JsonElement body) => body.GetProperty("error").GetProperty("code").GetString()!;

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);

    private static async Task<List<SseItem<string>>> EventsAsync(Reply reply) =>
        await SseParser.Create(new MemoryStream(reply.Body)).EnumerateAsync().ToListAsync();
}
