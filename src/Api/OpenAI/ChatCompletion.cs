using System.Text.Json.Serialization;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.OpenAI;

/// <summary>A chat completion, in OpenAI's shape.</summary>
/// <param name="Object">Always <c>chat.completion</c>.</param>
internal sealed record ChatCompletion(
    string Id, string Object, long Created, string Model, IReadOnlyList<ChatChoice> Choices, ChatUsage Usage, VerdictBody Saferguard)
{
    /// <exception cref="ProblemException">The decision allows an answer, and there is no model that can write one.</exception>
    public static ChatCompletion Of(ChatRequest request, CompletionBody completion)
    {
        var output = OutputOf(completion);
        var choice = new ChatChoice(0, new("assistant", output.Text), ReasonOf(completion.FinishReason));
        return new(NewId(), "chat.completion", completion.Created, request.Model, [choice], ChatUsage.Of(completion), VerdictBody.Of(completion));
    }

    public static string NewId() => $"chatcmpl-{Guid.CreateVersion7():N}";

    /// <exception cref="ProblemException">The decision allows an answer, and there is no model that can write one.</exception>
    public static OutputBody OutputOf(CompletionBody completion) => completion.Output ?? throw new ProblemException(
        Errors.NoAnswerSource,
        $"The guard allows an answer to this (decision '{WireName.Of(completion.Decision!.Value)}'), but its model only judges, and no other model is configured. "
        + "Ask POST /v1/assess for judgments, or configure a model that answers.")
    { Judged = completion };

    public static string ReasonOf(FinishReason reason) => reason switch
    {
        FinishReason.Length => "length",
        FinishReason.Refused or FinishReason.Withheld => "content_filter",
        _ => "stop",
    };
}

/// <param name="FinishReason"><c>stop</c>, <c>length</c>, or <c>content_filter</c> when the guard refused the prompt, and the content says why, or the answer, of which the content is what had passed.</param>
internal sealed record ChatChoice(int Index, ChatAnswer Message, string FinishReason, string? Logprobs = null);

internal sealed record ChatAnswer(string Role, string Content, string? Refusal = null);

/// <summary>What a completion cost, in tokens. The trace is to the answer what reasoning is elsewhere, and counted as that.</summary>
internal sealed record ChatUsage(
    int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails, CompletionTokensDetails CompletionTokensDetails)
{
    public static ChatUsage Of(CompletionBody completion)
    {
        var usage = completion.Usage ?? new(0, 0, 0, 0);
        var read = completion.AnswerUsage?.InputTokens ?? usage.InputTokens;
        var written = usage.TraceTokens + (completion.AnswerUsage?.OutputTokens ?? 0);
        return new(read, written, read + written, new(usage.CachedTokens), new(usage.TraceTokens));
    }
}

internal sealed record PromptTokensDetails(int CachedTokens);

internal sealed record CompletionTokensDetails(int ReasoningTokens);

/// <summary>A piece of a streamed chat completion, in OpenAI's shape.</summary>
/// <param name="Object">Always <c>chat.completion.chunk</c>.</param>
/// <param name="Choices">Empty in the chunk that carries the usage.</param>
/// <param name="Saferguard">In the chunk that carries the finish reason.</param>
internal sealed record ChatChunk(
    string Id,
    string Object,
    long Created,
    string Model,
    IReadOnlyList<ChatChunkChoice> Choices,
    ChatUsage? Usage,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] VerdictBody? Saferguard);

internal sealed record ChatChunkChoice(int Index, ChatDelta Delta, string? FinishReason, string? Logprobs = null);

[method: JsonConstructor]
internal sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null);
