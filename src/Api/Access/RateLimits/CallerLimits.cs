namespace SaferGuard.Api.Access.RateLimits;

/// <summary>How much a caller may use; null where nothing limits it.</summary>
/// <param name="TokensPerMinute">Tokens read and written: prompts, traces and answers.</param>
/// <param name="MaxConcurrentRequests">In one process.</param>
internal readonly record struct CallerLimits(int? RequestsPerMinute, int? TokensPerMinute, int? MaxConcurrentRequests)
{
    public const int Most = 10_000_000;

    public bool HasQuota => RequestsPerMinute is not null || TokensPerMinute is not null;

    public CallerLimits Or(CallerLimits defaults) => new(
        RequestsPerMinute ?? defaults.RequestsPerMinute,
        TokensPerMinute ?? defaults.TokensPerMinute,
        MaxConcurrentRequests ?? defaults.MaxConcurrentRequests);
}
