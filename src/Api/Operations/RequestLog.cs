using System.Diagnostics;

namespace SaferGuard.Api.Operations;

/// <summary>Logs one line for each request. The address is the route's pattern, so that nothing a user wrote is logged.</summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        var traceId = ProblemWriter.TraceIdOf(http);
        try
        {
            await next(http);
        }
        finally
        {
            var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)";
            LogRequest(logger, http.Request.Method, route, http.Response.StatusCode, Stopwatch.GetElapsedTime(started).TotalMilliseconds, traceId);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Method} {Route} {Status} {Milliseconds:0.0} ms {TraceId}")]
    private static partial void LogRequest(ILogger logger, string method, string route, int status, double milliseconds, string traceId);
}
