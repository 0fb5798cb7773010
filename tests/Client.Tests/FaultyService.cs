using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace SaferGuard.Client.Tests;

/// <summary>A real server that answers as the test says, request by request; the last answer goes on for ever.</summary>
internal sealed class FaultyService : IAsyncDisposable
{
    public const string Judgment = """
        {"id": "asm_1", "object": "assessment", "created": 1795543297, "model": {"id": "m", "digest": "d"}, "policy": {"id": "p", "version": "1", "digest": "d"},
        "operating_point": "balanced", "decision": "answer", "a_field_of_tomorrow": {"is": ["passed over"]}}
        """;

    public static readonly string Completion = Judgment.TrimEnd()[..^1] + """, "output": null, "finish_reason": "no_answer_source"}""";

    private readonly WebApplication _server;
    private readonly ConcurrentQueue<(string Path, IHeaderDictionary Headers)> _requests = new();

    private FaultyService(Func<HttpContext, Task>[] answers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(async http =>
        {
            var number = _requests.Count;
            _requests.Enqueue((http.Request.Path, new HeaderDictionary(http.Request.Headers.ToDictionary())));
            await answers[Math.Min(number, answers.Length - 1)](http);
        });
    }

    public Uri Address => new(_server.Urls.First());

    public IReadOnlyList<(string Path, IHeaderDictionary Headers)> Requests => [.. _requests];

    public static async Task<FaultyService> StartAsync(params Func<HttpContext, Task>[] answers)
    {
        var service = new FaultyService(answers);
        await service._server.StartAsync();
        return service;
    }

    public static Func<HttpContext, Task> Json(string body) => http =>
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(body);
    };

    public static Func<HttpContext, Task> Problem(int status, string name, string? retryAfter = null) => http =>
    {
        http.Response.StatusCode = status;
        if (retryAfter is not null) http.Response.Headers.RetryAfter = retryAfter;
        http.Response.ContentType = "application/problem+json";
        return http.Response.WriteAsync(
            $$"""{"type": "urn:saferguard:problem:{{name}}", "title": "A title", "status": {{status}}, "detail": "A detail.", "traceId": "0af7", "errors": []}""");
    };

    public static Func<HttpContext, Task> Stream(string events, bool drop = false) => async http =>
    {
        http.Response.ContentType = "text/event-stream";
        await http.Response.WriteAsync(events);
        await http.Response.Body.FlushAsync();
        if (drop) http.Abort();
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
