using System.Text.Json;
using SaferGuard.Api.Completions;

namespace SaferGuard.Api.OpenAI;

/// <summary>
/// The chunks of one streamed chat completion. The first leaves with the first piece of output, behind the decision, so that until then a failure is an
/// ordinary error.
/// </summary>
internal sealed class ChatChunks(ChatRequest request, TimeProvider clock)
{
    private readonly string _id = ChatCompletion.NewId();
    private readonly long _created = clock.GetUtcNow().ToUnixTimeSeconds();
    private bool _started;

    public async IAsyncEnumerable<ServerEvent> OfAsync(IAsyncEnumerable<CompletionStep> steps)
    {
        await foreach (var step in steps)
        {
            foreach (var chunk in Of(step)) yield return new(null, JsonSerializer.SerializeToUtf8Bytes(chunk, OpenAIJson.Body.ChatChunk));
        }
    }

    private IEnumerable<ChatChunk> Of(CompletionStep step)
    {
        switch (step)
        {
            case CompletionStep.Wrote wrote:
                if (!_started) yield return Start();
                yield return Chunk([new(0, new(Content: wrote.Text), null)]);
                break;
            case CompletionStep.Completed completed:
                var completion = (CompletionBody)JudgmentBody.Of(completed.Judgment);
                ChatCompletion.OutputOf(completion);
                if (!_started) yield return Start();
                yield return Chunk([new(0, new(), ChatCompletion.ReasonOf(completion.FinishReason))], verdict: VerdictBody.Of(completion));
                if (request.IncludeUsage) yield return Chunk([], ChatUsage.Of(completion));
                break;
        }
    }

    private ChatChunk Start()
    {
        _started = true;
        return Chunk([new(0, new("assistant", ""), null)]);
    }

    private ChatChunk Chunk(IReadOnlyList<ChatChunkChoice> choices, ChatUsage? usage = null, VerdictBody? verdict = null) =>
        new(_id, "chat.completion.chunk", _created, request.Model, choices, usage, verdict);
}
