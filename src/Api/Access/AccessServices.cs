using SaferGuard.Api.Access.Idempotency;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Access.Tokens;

namespace SaferGuard.Api.Access;

internal static class AccessServices
{
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<Callers>();
        services.AddSingleton<KeyBook>();
        services.AddSingleton<KeyRing>();
        services.AddSingleton<JwtReader>();
        services.AddSingleton<OpenAccess>();
        services.AddHostedService(provider => provider.GetRequiredService<OpenAccess>());

        services.AddSingleton<LocalRateLimiter>();
        services.AddSingleton<SharedRateLimiter>();
        services.AddSingleton<IRateLimiter>(provider => provider.GetRequiredService<RedisOptions>().Connection is null
            ? provider.GetRequiredService<LocalRateLimiter>()
            : provider.GetRequiredService<SharedRateLimiter>());
        services.AddSingleton(_ => RateLimitGate.InFlight());

        services.AddSingleton<KeptReplies>();
        services.AddHostedService<ForgettingWorker>();
    }

    /// <summary>What a request passes on its way to its endpoint: who is it, may it, how much may it, and was it answered before.</summary>
    public static void UseAccess(this WebApplication app)
    {
        app.UseMiddleware<AccessGate>();
        app.UseMiddleware<RateLimitGate>();
        app.UseMiddleware<IdempotencyGate>();
    }
}
