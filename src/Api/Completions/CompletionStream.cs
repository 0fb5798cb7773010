using System.Buffers;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Features;
using SaferGuard.Api.Access;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Telemetry;

namespace SaferGuard.Api.Completions;

/// <summary>
/// Sends a completion as server-sent events while it is made. What fails before the first event is an ordinary problem response;
/// what fails later is an event, so that a stream never just ends.
/// </summary>
internal sealed class CompletionStream(Judge judge, GuardMetrics metrics, ILogger<CompletionStream> logger)
{
    public async Task SendAsync(HttpContext http, CompleteRequest request)
    {
        using var making = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var channel = Channel.CreateUnbounded<ServerEvent>(new() { SingleReader = true });
        var made = MakeAsync(request, http.Caller(), channel.Writer, making.Token);
        await channel.Reader.WaitToReadAsync(http.RequestAborted);

        if (channel.Reader.TryPeek(out var first) && first.Degradation is { } degradation) http.Response.Headers[Degradation.Header] = degradation.ToString();
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        try
        {
            await foreach (var item in channel.Reader.ReadAllAsync(http.RequestAborted)) await WriteAsync(http, item);
            await http.Response.WriteAsync(CompletionEvents.Done, http.RequestAborted);
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested)
        {
            var problem = Errors.Of(fault);
            metrics.Failed(problem.Kind);
            if (problem.Kind == Errors.Internal) ProblemWriter.Log(logger, fault);
            await WriteAsync(http, CompletionEvents.Failed(ProblemWriter.Body(http, problem)));
        }
        finally
        {
            await making.CancelAsync();
            await made;
        }
    }

    /// <summary>Never throws: a fault completes the channel, behind the events that came before it.</summary>
    private async Task MakeAsync(CompleteRequest request, Caller caller, ChannelWriter<ServerEvent> writer, CancellationToken cancellation)
    {
        var events = new CompletionEvents();
        var latest = (TaskCompletionSource?)null;
        var observer = new CompletionObserver(stage => writer.TryWrite(events.Decided(stage)), Wrote)
        {
            Degraded = degradation => writer.TryWrite(CompletionEvents.Degraded(degradation)),
            Drained = waiting => latest?.Task.WaitAsync(waiting) ?? Task.CompletedTask,
        };
        try
        {
            var stored = await judge.CompleteAsync(request, caller, observer, cancellation);
            // What a caller holds already cannot be taken back: the stream must not look complete.
            if (latest is not null && WithheldProblem.Of(stored) is { } withheld) throw withheld;
            writer.TryWrite(CompletionEvents.Completed(stored.Body));
            writer.Complete();
        }
        catch (Exception fault)
        {
            writer.Complete(fault);
        }

        void Wrote(string text)
        {
            latest = new(TaskCreationOptions.RunContinuationsAsynchronously);
            writer.TryWrite(CompletionEvents.Wrote(text, latest));
        }
    }

    private static async Task WriteAsync(HttpContext http, ServerEvent item)
    {
        var body = http.Response.BodyWriter;
        Encoding.ASCII.GetBytes($"event: {item.Name}\ndata: ", body);
        body.Write(item.Data);
        body.Write("\n\n"u8);
        await body.FlushAsync(http.RequestAborted);
        item.Sent?.TrySetResult();
    }
}
