using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests;

/// <summary>The real service on a real port, with the bundled model and a store in a new folder.</summary>
public class Service : WebApplicationFactory<Program>, IAsyncLifetime
{
    private readonly CapturedLog _log = new();

    public Service() => UseKestrel();

    public string Store { get; init; } = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "saferguard.db");

    public Dictionary<string, string> Settings { get; init; } = [];

    /// <summary>False for a service that is meant never to be ready.</summary>
    public bool IsReadyAtStart { get; init; } = true;

    /// <summary>All lines logged so far, with their level and exception.</summary>
    public IReadOnlyCollection<string> Log => _log.Lines;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>A connection to the address of gRPC.</summary>
    public GrpcChannel Channel { get; private set; } = null!;

    /// <summary>The address of HTTP.</summary>
    public Uri Address { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        StartServer();
        // Endpoints are bound in the order of their names: Http0, Rpc.
        var addresses = Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        Address = new(addresses[0]);
        Client = new() { BaseAddress = Address };
        Channel = GrpcChannel.ForAddress(addresses[^1]);
        for (var attempt = 0; attempt < 200 && IsReadyAtStart; attempt++)
        {
            using var ready = await Client.GetAsync("/readyz");
            if (ready.IsSuccessStatusCode) return;
            await Task.Delay(50);
        }

        if (IsReadyAtStart) throw new TimeoutException("The service did not become ready. " + string.Join('\n', Log));
    }

    public Task<Reply> AssessAsync(string json) => PostAsync("/v1/assess", Encoding.UTF8.GetBytes(json));

    public Task<Reply> CompleteAsync(string json) => PostAsync("/v1/complete", Encoding.UTF8.GetBytes(json));

    public async Task<Reply> PostAsync(string path, byte[] body, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        // What is refused by its length alone is refused before it is sent: a client that sent it might miss the answer.
        request.Headers.ExpectContinue = body.Length > 1 << 20;
        using var response = await Client.SendAsync(request);
        return await Reply.OfAsync(response);
    }

    public async Task<Reply> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path);
        return await Reply.OfAsync(response);
    }

    public async Task<int> CountStoredAsync()
    {
        await using var store = await Services.GetRequiredService<IDbContextFactory<TraceStore>>().CreateDbContextAsync();
        return await store.Judgments.CountAsync();
    }

    /// <summary>The bodies of all stored judgments, the oldest first.</summary>
    public async Task<IReadOnlyList<JsonElement>> StoredAsync()
    {
        await using var store = await Services.GetRequiredService<IDbContextFactory<TraceStore>>().CreateDbContextAsync();
        var bodies = await store.Judgments.AsNoTracking().OrderBy(judgment => judgment.Id).Select(judgment => judgment.Body).ToListAsync();
        return [.. bodies.Select(body => JsonSerializer.Deserialize<JsonElement>(body))];
    }

    /// <summary>Takes the store away, as when its disk is lost.</summary>
    public void LoseStore()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(Path.GetDirectoryName(Store)!, recursive: true);
    }

    /// <summary>The events of a streamed completion.</summary>
    public async Task<List<SseItem<string>>> StreamAsync(string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/complete") { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((200, "text/event-stream"), ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString()));
        await using var body = await response.Content.ReadAsStreamAsync();
        return await SseParser.Create(body).EnumerateAsync().ToListAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        Channel?.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("urls", "http://127.0.0.1:0");
        builder.UseSetting("Grpc:Url", "http://127.0.0.1:0");
        builder.UseSetting("Store:Path", Store);
        foreach (var (key, value) in Settings) builder.UseSetting(key, value);
        builder.ConfigureLogging(logging => logging.AddProvider(_log));
    }

    private sealed class CapturedLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <summary>A response that has been read to its end.</summary>
public sealed record Reply(int Status, string? ContentType, byte[] Body, HttpResponseHeaders Headers)
{
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Body);

    public string Text => Encoding.UTF8.GetString(Body);

    public string Id => Json.GetProperty("id").GetString()!;

    /// <summary>The fields that a problem names.</summary>
    public IEnumerable<string> Fields => Json.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("field").GetString()!);

    public static async Task<Reply> OfAsync(HttpResponseMessage response) =>
        new((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsByteArrayAsync(), response.Headers);
}
