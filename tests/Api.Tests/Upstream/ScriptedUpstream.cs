using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace SaferGuard.Api.Tests.Upstream;

/// <summary>A call that the upstream got.</summary>
/// <param name="Number">From 1 on.</param>
/// <param name="Key">The header that carries it.</param>
public sealed record UpstreamCall(int Number, HttpContext Http, JsonNode Body, string? Key)
{
    public bool Streams => (bool?)Body["stream"] == true;

    public IEnumerable<(string Role, string Content)> Messages =>
        Body["messages"]!.AsArray().Select(message => ((string)message!["role"]!, (string)message["content"]!));

    /// <summary>A whole answer, in the way that the call asks for.</summary>
    public async Task AnswerAsync(string text, string finish = "stop")
    {
        if (!Streams)
        {
            await Http.Response.WriteAsJsonAsync(new
            {
                id = "1",
                @object = "chat.completion",
                model = "big-model",
                choices = new[] { new { index = 0, finish_reason = finish, message = new { role = "assistant", content = text } } },
                usage = new { prompt_tokens = 11, completion_tokens = 7, total_tokens = 18 },
            });
            return;
        }

        for (var start = 0; start < text.Length; start += 40) await PieceAsync(text.Substring(start, Math.Min(40, text.Length - start)));
        await EventAsync(new { model = "big-model", choices = new[] { new { index = 0, delta = new { }, finish_reason = finish } } });
        await EventAsync(new { model = "big-model", choices = Array.Empty<int>(), usage = new { prompt_tokens = 11, completion_tokens = 7, total_tokens = 18 } });
        await Http.Response.WriteAsync("data: [DONE]\n\n");
    }

    public Task PieceAsync(string text) =>
        EventAsync(new { model = "big-model", choices = new[] { new { index = 0, delta = new { content = text }, finish_reason = (string?)null } } });

    public async Task EventAsync<T>(T chunk)
    {
        if (!Http.Response.HasStarted)
        {
            Http.Response.ContentType = "text/event-stream";
            Http.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        }

        await Http.Response.WriteAsync($"data: {JsonSerializer.Serialize(chunk)}\n\n");
        await Http.Response.Body.FlushAsync();
    }

    public Task FailAsync(int status, string? retryAfter = null)
    {
        Http.Response.StatusCode = status;
        if (retryAfter is not null) Http.Response.Headers.RetryAfter = retryAfter;
        return Http.Response.WriteAsJsonAsync(new { error = new { message = $"{Key} is no good", type = "error" } });
    }
}

/// <summary>A real server that speaks <c>/v1/chat/completions</c> as a test wants it to.</summary>
public sealed class ScriptedUpstream : IAsyncDisposable
{
    public const string Harmless = "Black tea with milk goes well with rain, and so does a smoky one.";

    private readonly WebApplication _app;
    private int _calls;

    private ScriptedUpstream(WebApplication app) => _app = app;

    public ConcurrentQueue<UpstreamCall> Calls { get; } = [];

    public Func<UpstreamCall, Task> Answer { get; set; } = call => call.AnswerAsync(Harmless);

    public string Address => $"{_app.Urls.Single()}/v1";

    public static async Task<ScriptedUpstream> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var upstream = new ScriptedUpstream(app);
        app.MapPost("/v1/chat/completions", async (HttpContext http) =>
        {
            var call = new UpstreamCall(Interlocked.Increment(ref upstream._calls), http, (await JsonNode.ParseAsync(http.Request.Body))!, http.Request.Headers.Authorization);
            upstream.Calls.Enqueue(call);
            await upstream.Answer(call);
        });
        await app.StartAsync();
        return upstream;
    }

    /// <summary>The service in front of this upstream; failed calls are repeated at once.</summary>
    public async Task<Service> GuardAsync(params (string Key, string Value)[] settings)
    {
        var service = new Service
        {
            Settings = { ["Upstream:BaseUrl"] = Address, ["Upstream:Model"] = "big-model", ["Upstream:RetryDelay"] = "00:00:00.001" },
        };
        foreach (var (key, value) in settings) service.Settings[key] = value;
        await service.InitializeAsync();
        return service;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
