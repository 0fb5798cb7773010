namespace SaferGuard.Api.Telemetry;

internal static class TelemetryServices
{
    /// <summary>What the service tells about itself: counts, times and spans, never texts.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder) => builder.Services.AddSingleton<GuardMetrics>();
}
