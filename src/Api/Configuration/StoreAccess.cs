using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Access;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Configuration;

/// <summary>The parts of the service around its store, for a verb: configured as the service is, but nothing listens and no model is loaded.</summary>
internal sealed class StoreAccess : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StoreAccess(WebApplication app) => _app = app;

    /// <param name="path">The store's file; null for the configured one.</param>
    public static async Task<StoreAccess> OpenAsync(string? path)
    {
        var builder = WebApplication.CreateBuilder();
        if (path is not null) builder.Configuration["Store:Path"] = Path.GetFullPath(path);
        builder.AddConfiguration();
        builder.AddTraces();
        builder.AddAccess();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        await app.Services.GetRequiredService<IDbContextFactory<TraceStore>>().MigrateAsync();
        return new(app);
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
