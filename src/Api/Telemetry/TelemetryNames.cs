namespace SaferGuard.Api.Telemetry;

/// <summary>
/// Every name that this service gives to a metric, a span or an attribute; docs/telemetry.md explains them. Those under <c>gen_ai</c> are
/// OpenTelemetry's GenAI conventions, which are still in development: they change here and nowhere else.
/// </summary>
internal static class TelemetryNames
{
    /// <summary>The meter and the activity source of the service. The engine has its own meter: <see cref="Reasoning.Engine.EngineMetrics.Meter"/>.</summary>
    public const string Source = "SaferGuard";

    /// <summary>The service's name where <c>OTEL_SERVICE_NAME</c> gives none, and the provider of what it judges and answers.</summary>
    public const string Service = "saferguard";

    public static class Metrics
    {
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
        public const string StageDuration = "saferguard.stage.duration";
        public const string RequestDuration = "gen_ai.server.request.duration";
        public const string TimeToFirstToken = "gen_ai.server.time_to_first_token";
        public const string TimePerOutputToken = "gen_ai.server.time_per_output_token";
    }

    /// <summary>Operations: a span is called <c>{operation} {model}</c>.</summary>
    public static class OperationNames
    {
        public const string Judge = "apply_guardrail";
        public const string Answer = "chat";
    }

    /// <summary>Parts of a judgment, as spans and as values of <see cref="Attributes.Stage"/>.</summary>
    public static class Stages
    {
        public const string Queue = "queue";
        public const string Prefill = "prefill";
        public const string Assessment = "assessment";
        public const string RuleCheck = "rule_check";
        public const string Path = "path";
        public const string Explanation = "explanation";
    }

    public static class Spans
    {
        public const string Store = "store";

        /// <summary>The event of a judgment's span for its decision, and for each rule that is violated.</summary>
        public const string Result = "gen_ai.guardrail.result";
    }

    public static class Attributes
    {
        public const string ErrorType = "error.type";
        public const string OperationName = "gen_ai.operation.name";
        public const string ProviderName = "gen_ai.provider.name";
        public const string RequestModel = "gen_ai.request.model";
        public const string RequestMaxTokens = "gen_ai.request.max_tokens";
        public const string RequestTemperature = "gen_ai.request.temperature";
        public const string RequestSeed = "gen_ai.request.seed";
        public const string ResponseId = "gen_ai.response.id";
        public const string FinishReasons = "gen_ai.response.finish_reasons";
        public const string InputTokens = "gen_ai.usage.input_tokens";
        public const string CachedTokens = "gen_ai.usage.cache_read.input_tokens";
        public const string OutputTokens = "gen_ai.usage.output_tokens";

        /// <summary>Tokens of the trace.</summary>
        public const string ReasoningTokens = "gen_ai.usage.reasoning.output_tokens";

        /// <summary>Text of users; only with <see cref="Configuration.TelemetryOptions.CaptureContent"/>.</summary>
        public const string InputMessages = "gen_ai.input.messages";

        /// <summary>Text for users; only with <see cref="Configuration.TelemetryOptions.CaptureContent"/>.</summary>
        public const string OutputMessages = "gen_ai.output.messages";

        public const string GuardrailName = "gen_ai.guardrail.component.name";
        public const string GuardrailPolicy = "gen_ai.guardrail.policy.id";
        public const string GuardrailPolicyVersion = "gen_ai.guardrail.policy.version";
        public const string GuardrailRule = "gen_ai.guardrail.policy.rule.id";
        public const string GuardrailSource = "gen_ai.guardrail.source";
        public const string ResultType = "gen_ai.guardrail.result.type";
        public const string ResultValue = "gen_ai.guardrail.result.value";
        public const string RiskCategory = "gen_ai.guardrail.risk.category";
        public const string RiskScore = "gen_ai.guardrail.risk.score";

        public const string Operation = "saferguard.operation";
        public const string Decision = "saferguard.decision";
        public const string ShadowDecision = "saferguard.shadow.decision";
        public const string Direction = "saferguard.direction";
        public const string Reason = "saferguard.reason";
        public const string Rule = "saferguard.rule";
        public const string Stage = "saferguard.stage";

        /// <summary>The verdict cache held the judgment.</summary>
        public const string CacheHit = "saferguard.cache.hit";
    }
}
