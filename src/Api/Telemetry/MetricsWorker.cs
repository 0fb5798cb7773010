using OpenTelemetry.Metrics;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Telemetry;

/// <summary>Serves <c>/metrics</c>, and nothing else, on an address of its own, where one is configured.</summary>
internal sealed class MetricsWorker(TelemetryOptions options, MeterProvider meters, ILoggerFactory logs) : IHostedService, IAsyncDisposable
{
    private WebApplication? _server;

    /// <summary>Where it listens; null when it does not.</summary>
    public string? Address => _server?.Urls.First();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.MetricsUrl is not { } url) return Task.CompletedTask;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls(url.ToString());
        builder.Services.AddSingleton(logs);
        _server = builder.Build();
        _server.UseOpenTelemetryPrometheusScrapingEndpoint(
            meters, predicate: null, TelemetryServices.MetricsPath, configureBranchedPipeline: null, optionsName: null);
        return _server.StartAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
