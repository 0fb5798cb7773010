using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Telemetry;

namespace SaferGuard.Api.Completions;

/// <summary>One server-sent event. The data is JSON on one line.</summary>
/// <param name="Name">Null for an event that has only data.</param>
internal sealed record ServerEvent(string? Name, byte[] Data);

/// <summary>
/// Sends events while they are made. What fails before the first event is an ordinary error response; what fails later is an event, so that a
/// stream never just ends.
/// </summary>
internal sealed class EventStream(GuardMetrics metrics, ILogger<EventStream> logger)
{
    /// <summary>Ends every stream that did not fail.</summary>
    public const string Done = "data: [DONE]\n\n";

    public async Task SendAsync(HttpContext http, IAsyncEnumerable<ServerEvent> events, Func<HttpContext, ProblemException, ServerEvent> failed)
    {
        await using var reader = events.GetAsyncEnumerator(http.RequestAborted);
        var goesOn = await reader.MoveNextAsync();

        http.Response.ContentType = "text/event-stream";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        try
        {
            for (; goesOn; goesOn = await reader.MoveNextAsync()) await WriteAsync(http, reader.Current);
            await http.Response.WriteAsync(Done, http.RequestAborted);
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested)
        {
            var problem = Errors.Of(fault);
            metrics.Failed(problem.Kind);
            if (problem.Kind == Errors.Internal) ProblemWriter.Log(logger, fault);
            await WriteAsync(http, failed(http, problem));
        }
    }

    private static async Task WriteAsync(HttpContext http, ServerEvent item)
    {
        var body = http.Response.BodyWriter;
        if (item.Name is { } name) Encoding.ASCII.GetBytes($"event: {name}\n", body);
        body.Write("data: "u8);
        body.Write(item.Data);
        body.Write("\n\n"u8);
        await body.FlushAsync(http.RequestAborted);
    }
}
