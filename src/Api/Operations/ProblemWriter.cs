using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SaferGuard.Api.Telemetry;

namespace SaferGuard.Api.Operations;

/// <summary>How a surface tells its errors, as metadata of its endpoints. Without it they are told as problem details.</summary>
internal sealed record ProblemShape(Func<HttpContext, ProblemException, Task> WriteAsync);

/// <summary>Turns every error into a response: exceptions, and statuses that come without a body.</summary>
internal sealed partial class ProblemWriter(RequestDelegate next, GuardMetrics metrics, ILogger<ProblemWriter> logger)
{
    /// <summary>Not a standard status: the client went away before there was a response. Nobody receives it, only the log shows it.</summary>
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
            if (Errors.OfStatus(http.Response.StatusCode) is { } problem && HasNoBody(http.Response)) await WriteAsync(http, problem);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            if (!http.Response.HasStarted) http.Response.StatusCode = ClientClosedRequest;
        }
        catch (Exception exception) when (!http.Response.HasStarted)
        {
            var problem = Errors.Of(exception);
            if (problem.Kind == Errors.Internal) Log(logger, exception);
            await WriteAsync(http, problem);
        }
    }

    /// <summary>The JSON of a problem.</summary>
    public static byte[] Body(HttpContext http, ProblemException problem) => JsonSerializer.SerializeToUtf8Bytes(
        new Problem(
            problem.Kind.Type,
            problem.Kind.Title,
            problem.Kind.Status,
            problem.Message,
            TraceIdOf(http),
            problem.Errors),
        ApiJson.Body.Problem);

    /// <summary>Logs a fault without its message, which may quote the user.</summary>
    public static void Log(ILogger logger, Exception exception) =>
        LogFault(logger, exception.GetType().FullName, exception.InnerException?.GetType().FullName, exception.StackTrace);

    private Task WriteAsync(HttpContext http, ProblemException problem)
    {
        metrics.Failed(problem.Kind);
        if (problem.RetryAfter is { } wait) http.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (problem.Challenge is { } challenge) http.Response.Headers.WWWAuthenticate = challenge;
        return http.GetEndpoint()?.Metadata.GetMetadata<ProblemShape>() is { } shape
            ? shape.WriteAsync(http, problem)
            : WriteBodyAsync(http, problem.Kind.Status, Problem.ContentType, Body(http, problem));
    }

    /// <summary>Sends a response that says what went wrong.</summary>
    public static async Task WriteBodyAsync(HttpContext http, int status, string contentType, byte[] body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    /// <summary>What a client can report to have its request found in the logs.</summary>
    public static string TraceIdOf(HttpContext http) => Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier;

    private static bool HasNoBody(HttpResponse response) => !response.HasStarted && response.ContentLength is null && response.ContentType is null;

    [LoggerMessage(2, LogLevel.Error, "Fault {Exception} ({Inner})\n{Stack}")]
    private static partial void LogFault(ILogger logger, string? exception, string? inner, string? stack);
}
