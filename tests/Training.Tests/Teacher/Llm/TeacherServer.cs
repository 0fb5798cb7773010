using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace SaferGuard.Training.Tests.Teacher.Llm;

/// <summary>A call that the server got.</summary>
/// <param name="Number">From 1, over all calls.</param>
/// <param name="Question">The object in the first user message.</param>
internal sealed record Call(int Number, HttpContext Http, JsonNode Body, JsonNode Question)
{
    public bool IsOfJudge => Question["assessment"] is not null;

    public string Prompt => (string)Question["conversation"]![0]!["content"]!;

    public string LastMessage => (string)Body["messages"]!.AsArray()[^1]!["content"]!;
}

/// <summary>A real endpoint on this machine that speaks <c>/v1/chat/completions</c> and knows how to teach; tests may answer in its stead.</summary>
internal sealed class TeacherServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _calls;
    private int _running;

    private TeacherServer(WebApplication app) => _app = app;

    public ConcurrentQueue<Call> Calls { get; } = [];

    public ConcurrentQueue<string?> Keys { get; } = [];

    public int MostAtOnce { get; private set; }

    /// <summary>Answers a call, or returns false to have it answered well.</summary>
    public Func<Call, Task<bool>> Answer { get; set; } = _ => Task.FromResult(false);

    public Uri Address => new($"{_app.Urls.Single()}/v1");

    public static async Task<TeacherServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new TeacherServer(app);
        app.MapPost("/v1/chat/completions", server.HandleAsync);
        await app.StartAsync();
        return server;
    }

    public static Task ReplyAsync(Call call, string content) => call.Http.Response.WriteAsJsonAsync(new
    {
        id = "1",
        @object = "chat.completion",
        created = 1,
        model = (string)call.Body["model"]!,
        choices = new[] { new { index = 0, finish_reason = "stop", message = new { role = "assistant", content } } },
        usage = new { prompt_tokens = 100, completion_tokens = 10, total_tokens = 110 },
    });

    public static Task FailAsync(Call call, int status, string? retryAfter = null, string message = "no")
    {
        call.Http.Response.StatusCode = status;
        if (retryAfter is not null) call.Http.Response.Headers.RetryAfter = retryAfter;
        return call.Http.Response.WriteAsJsonAsync(new { error = new { message, type = "error" } });
    }

    /// <summary>The trace that a good teacher writes: the first rule is violated where the label says harmful.</summary>
    public static JsonObject GoodTrace(JsonNode question)
    {
        var harmful = (string)question["label"]! == "harmful";
        var checks = question["rules"]!.AsArray().Select((rule, i) => (JsonNode)(harmful && i == 0
            ? new JsonObject { ["rule"] = (string)rule!["rule"]!, ["verdict"] = "violated", ["evidence"] = ((string)question["conversation"]![0]!["content"]!).Split(' ')[^1] }
            : new JsonObject { ["rule"] = (string)rule!["rule"]!, ["verdict"] = "clear" }));
        return new JsonObject
        {
            ["intent"] = "Asks for something that the teacher has read.",
            ["risk"] = harmful ? "high" : "none",
            ["rule_checks"] = new JsonArray([.. checks]),
            ["decision"] = harmful ? "refuse" : "answer",
            ["strategy"] = harmful ? "Decline and offer a safe way." : "Answer in a few words.",
        };
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        lock (Calls) MostAtOnce = Math.Max(MostAtOnce, ++_running);
        try
        {
            var body = (await JsonNode.ParseAsync(http.Request.Body))!;
            var call = new Call(Interlocked.Increment(ref _calls), http, body, JsonNode.Parse((string)body["messages"]![1]!["content"]!)!);
            Calls.Enqueue(call);
            Keys.Enqueue(http.Request.Headers.Authorization);
            if (await Answer(call)) return;
            await ReplyAsync(call, call.IsOfJudge ? """{"compliance": 10, "relevance": 9, "accuracy": 8}""" : GoodTrace(call.Question).ToJsonString());
        }
        finally
        {
            lock (Calls) _running--;
        }
    }
}
