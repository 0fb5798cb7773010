using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SaferGuard.Client.Tests.Chat;

/// <summary>A model that always says the same words, and remembers what it was asked.</summary>
internal sealed class ScriptedModel(params string[] words) : IChatClient
{
    public List<IReadOnlyList<ChatMessage>> Asked { get; } = [];

    /// <summary>How many words were streamed.</summary>
    public int Streamed { get; private set; }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Asked.Add([.. messages]);
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, string.Concat(words))) { ResponseId = "r1", FinishReason = ChatFinishReason.Stop });
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Asked.Add([.. messages]);
        foreach (var word in words)
        {
            await Task.Yield();
            Streamed++;
            yield return new(ChatRole.Assistant, word) { ResponseId = "r1" };
        }

        yield return new() { ResponseId = "r1", FinishReason = ChatFinishReason.Stop };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
