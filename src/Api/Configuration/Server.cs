using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace SaferGuard.Api.Configuration;

internal static class Server
{
    public static void AddServer(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
        // What keeps the service from starting is said by Startup, without a stack trace.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }

    /// <summary>
    /// Bounds what a client may make the server hold. The server is made before the configuration is checked, so that its own options cannot depend on it.
    /// </summary>
    public static void LimitClients(this WebApplication app)
    {
        var server = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        var limits = app.Services.GetRequiredService<LimitOptions>();
        server.MaxRequestBodySize = limits.MaxBodyBytes;
        server.MinRequestBodyDataRate = new(limits.MinBodyBytesPerSecond, gracePeriod: TimeSpan.FromSeconds(5));
        server.MaxRequestHeadersTotalSize = limits.MaxHeaderBytes;
        server.RequestHeadersTimeout = limits.HeaderTimeout;
        server.MaxConcurrentConnections = limits.MaxConnections;
    }
}
