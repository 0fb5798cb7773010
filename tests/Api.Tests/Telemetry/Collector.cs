using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using SaferGuard.Api.Tests.Telemetry.Otlp;

namespace SaferGuard.Api.Tests.Telemetry;

/// <summary>An OpenTelemetry collector: a real server that takes OTLP over HTTP and keeps what it gets.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _received = new();
    private readonly WebApplication _server;

    private Collector()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            _received.Enqueue((http.Request.Path, body.ToArray()));
            http.Response.ContentType = "application/x-protobuf";
        });
    }

    /// <summary>The settings of a service that reports here, quickly.</summary>
    public Dictionary<string, string> Settings => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _server.Urls.First(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
        ["OTEL_BLRP_SCHEDULE_DELAY"] = "50",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "100",
    };

    public IReadOnlyList<Span> Spans => [.. Received("/v1/traces", Otlp.Traces.Parser)
        .SelectMany(traces => traces.ResourceSpans).SelectMany(resource => resource.ScopeSpans).SelectMany(scope => scope.Spans)];

    public IReadOnlyList<LogRecord> Logs => [.. Received("/v1/logs", Otlp.Logs.Parser)
        .SelectMany(logs => logs.ResourceLogs).SelectMany(resource => resource.ScopeLogs).SelectMany(scope => scope.LogRecords)];

    public IReadOnlyList<ResourceMetrics> Metrics => [.. Received("/v1/metrics", Otlp.Metrics.Parser).SelectMany(metrics => metrics.ResourceMetrics)];

    public static async Task<Collector> StartAsync()
    {
        var collector = new Collector();
        await collector._server.StartAsync();
        return collector;
    }

    /// <summary>Waits for something to arrive.</summary>
    public static async Task<T> UntilAsync<T>(Func<T> read, Func<T, bool> arrived)
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            if (read() is { } value && arrived(value)) return value;
            await Task.Delay(50);
        }

        throw new TimeoutException("The collector did not get what the test waits for.");
    }

    /// <summary>Whether a text occurs anywhere in what was received, of whatever kind.</summary>
    public bool HasSeen(string text) => _received.Any(item => item.Body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private IEnumerable<T> Received<T>(string path, MessageParser<T> parser)
        where T : IMessage<T> => _received.Where(item => item.Path == path).Select(item => parser.ParseFrom(item.Body));
}

internal static class OtlpReading
{
    public static string Id(this ByteString id) => Convert.ToHexStringLower(id.Span);

    public static AnyValue? Value(this IEnumerable<KeyValue> attributes, string key) => attributes.SingleOrDefault(pair => pair.Key == key)?.Value;

    public static string? Text(this IEnumerable<KeyValue> attributes, string key) => attributes.Value(key)?.StringValue;

    public static double Milliseconds(this Span span) => (span.EndTimeUnixNano - span.StartTimeUnixNano) / 1e6;
}
