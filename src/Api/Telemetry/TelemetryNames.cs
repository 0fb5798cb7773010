namespace SaferGuard.Api.Telemetry;

/// <summary>
/// Every name that this service gives to a metric, a span or one of their attributes. Those under <c>gen_ai</c> are OpenTelemetry's GenAI
/// conventions, which are still in development: they change here and nowhere else.
/// </summary>
internal static class TelemetryNames
{
    /// <summary>The meter and the activity source of the service. The engine has its own: <see cref="Reasoning.Engine.EngineMetrics.Meter"/>.</summary>
    public const string Source = "SaferGuard";

    public const string Requests = "saferguard.requests";
    public const string Blocked = "saferguard.blocked";
    public const string Errors = "saferguard.errors";
    public const string Unscanned = "saferguard.unscanned";
    public const string Degraded = "saferguard.degraded";
    public const string Unrecorded = "saferguard.unrecorded";
    public const string CacheHits = "saferguard.cache.hits";
    public const string CacheMisses = "saferguard.cache.misses";

    public const string PoliciesLive = "saferguard.policies.live";
    public const string PoliciesInvalid = "saferguard.policies.invalid";
    public const string ShadowJudged = "saferguard.shadow.judged";
    public const string ShadowDropped = "saferguard.shadow.dropped";
    public const string ShadowFailed = "saferguard.shadow.failed";

    public const string Operation = "gen_ai.operation.name";
    public const string ErrorType = "error.type";
    public const string Decision = "saferguard.decision";
    public const string ShadowDecision = "saferguard.shadow.decision";
    public const string Direction = "saferguard.direction";
    public const string Reason = "saferguard.reason";
    public const string Rule = "saferguard.rule";
    public const string Stage = "saferguard.stage";
}
