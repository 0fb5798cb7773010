namespace SaferGuard.Api.Cache;

internal static class CacheServices
{
    public static void AddVerdictCache(this WebApplicationBuilder builder) => builder.Services.AddSingleton<CachedGuard>();
}
