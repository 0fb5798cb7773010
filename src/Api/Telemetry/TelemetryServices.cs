using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using SaferGuard.Api.Access;
using SaferGuard.Api.Configuration;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Api.Telemetry;

internal static class TelemetryServices
{
    public const string MetricsPath = "/metrics";

    private static readonly string[] s_meters =
    [
        TelemetryNames.Source, EngineMetrics.Meter,
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime",
    ];

    private static readonly PathString[] s_untraced = ["/livez", "/readyz", MetricsPath];

    /// <summary>What the service tells about itself: metrics for who asks, and traces, metrics and logs over OTLP where that has an endpoint.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<TelemetryOptions>, OtlpEndpoint>();
        builder.Services.AddSingleton<GuardMetrics>();
        builder.Services.AddSingleton<GuardTelemetry>();
        builder.Services.AddSingleton<MetricsWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MetricsWorker>());

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .AddService(TelemetryNames.Service, serviceVersion: typeof(TelemetryServices).Assembly.GetName().Version?.ToString(3))
                .AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics.AddMeter(s_meters).AddPrometheusExporter(prometheus => prometheus.ScopeInfoEnabled = false).AddOnlyOwnMeters());
        if (!OtlpEndpoint.IsSet(builder.Configuration)) return;
        telemetry
            .WithTracing(traces => traces
                .AddSource(TelemetryNames.Source, "System.Net.Http")
                .AddAspNetCoreInstrumentation(http => http.Filter = request => !s_untraced.Contains(request.Request.Path)))
            .WithLogging(null, logs => logs.IncludeFormattedMessage = true)
            .UseOtlpExporter();
    }

    /// <summary>Meters are known by name to the whole process. Those of other hosts in it, such as the one that serves the metrics, are left out.</summary>
    private static void AddOnlyOwnMeters(this MeterProviderBuilder metrics) =>
        ((IDeferredMeterProviderBuilder)metrics).Configure((services, provider) =>
        {
            var own = services.GetRequiredService<IMeterFactory>();
            provider.AddView(instrument => instrument.Meter.Scope is IMeterFactory other && other != own ? MetricStreamConfiguration.Drop : null);
        });

    public static void MapMetrics(this WebApplication app)
    {
        // Not from the options: what is wrong with these is said when the service starts.
        if (string.IsNullOrEmpty(app.Configuration[$"Telemetry:{nameof(TelemetryOptions.MetricsUrl)}"]))
            app.MapPrometheusScrapingEndpoint(MetricsPath).RequireScope(Scope.MetricsRead);
    }
}
