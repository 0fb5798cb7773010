using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using SaferGuard.Api.Answers;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Upstream;

/// <summary>An answer of the upstream, of which the first piece has come.</summary>
internal sealed class UpstreamAnswer : IAnswer
{
    private readonly HttpResponseMessage _response;
    private readonly IAsyncEnumerator<ChatChunk> _chunks;
    private readonly CancellationTokenSource _reading;
    private readonly string _model;

    private UpstreamAnswer(HttpResponseMessage response, IAsyncEnumerator<ChatChunk> chunks, CancellationTokenSource reading, string model) =>
        (_response, _chunks, _reading, _model) = (response, chunks, reading, model);

    public AnswerEnd? End { get; private set; }

    /// <summary>Reads up to the first piece.</summary>
    /// <param name="model">The model that was asked for.</param>
    /// <param name="stream">The bounded body of the response.</param>
    /// <param name="attempt">Ends only the wait for the first piece.</param>
    /// <exception cref="UpstreamException">There is no first piece.</exception>
    public static async Task<UpstreamAnswer> OpenAsync(HttpResponseMessage response, Stream stream, string model, CancellationToken attempt)
    {
        var reading = new CancellationTokenSource();
        var chunks = ReadChunksAsync(response, stream, reading.Token).GetAsyncEnumerator(CancellationToken.None);
        try
        {
            await using (attempt.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), reading))
            {
                if (!await chunks.MoveNextAsync()) throw BrokenOff();
            }

            return new(response, chunks, reading, model);
        }
        catch
        {
            await chunks.DisposeAsync();
            reading.Dispose();
            attempt.ThrowIfCancellationRequested();
            throw;
        }
    }

    public async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var stop = cancellation.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _reading);
        FinishReason? reason = null;
        ChatUsage? usage = null;
        var model = _model;
        do
        {
            var chunk = _chunks.Current;
            model = chunk.Model is { Length: > 0 } name ? name : model;
            usage = chunk.Usage ?? usage;
            reason = chunk.Finish ?? reason;
            if (chunk.Text is { Length: > 0 } text) yield return text;
        }
        while (await MoveNextAsync(cancellation));

        End = new(reason ?? throw BrokenOff(), usage is null ? null : new(model, usage.PromptTokens, usage.CompletionTokens));
    }

    public async ValueTask DisposeAsync()
    {
        await _reading.CancelAsync();
        await _chunks.DisposeAsync();
        _response.Dispose();
        _reading.Dispose();
    }

    private async ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        try
        {
            return await _chunks.MoveNextAsync();
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw;
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            throw BrokenOff(fault);
        }
    }

    private static async IAsyncEnumerable<ChatChunk> ReadChunksAsync(
        HttpResponseMessage response, Stream stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            var events = SseParser.Create(stream, (_, data) => data.SequenceEqual("[DONE]"u8) ? null : ChatChunk.Parse(data));
            await foreach (var item in events.EnumerateAsync(cancellation))
            {
                if (item.Data is null) yield break;
                yield return item.Data;
            }

            yield break;
        }

        using var whole = new MemoryStream();
        await stream.CopyToAsync(whole, cancellation);
        var chunk = ChatChunk.Parse(whole.GetBuffer().AsSpan(0, (int)whole.Length));
        yield return chunk.IsWhole ? chunk : throw new UpstreamException(Errors.UpstreamFailed, "The upstream sent what is not a chat completion.");
    }

    private static UpstreamException BrokenOff(Exception? fault = null) =>
        new(Errors.UpstreamFailed, "The upstream broke off before its answer was complete.", inner: fault);
}
