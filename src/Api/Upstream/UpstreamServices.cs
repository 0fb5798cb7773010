namespace SaferGuard.Api.Upstream;

internal static class UpstreamServices
{
    /// <summary>The server behind the guard, if one is configured.</summary>
    public static void AddUpstream(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UpstreamAnswers>();
        builder.Services.AddHttpClient(UpstreamAnswers.Client, client => client.Timeout = Timeout.InfiniteTimeSpan)
            // A redirect could carry prompts elsewhere.
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
            .RemoveAllLoggers();
    }
}
