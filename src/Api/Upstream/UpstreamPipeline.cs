using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace SaferGuard.Api.Upstream;

/// <summary>Retry → circuit breaker → attempt timeout, around all that comes before the first piece of an answer.</summary>
internal static class UpstreamPipeline
{
    public static ResiliencePipeline<UpstreamAnswer> Build(UpstreamOptions options, TimeProvider time)
    {
        var pipeline = new ResiliencePipelineBuilder<UpstreamAnswer> { TimeProvider = time };
        if (options.Retries > 0)
        {
            pipeline.AddRetry(new RetryStrategyOptions<UpstreamAnswer>
            {
                ShouldHandle = arguments => ValueTask.FromResult(MayRetry(arguments.Outcome.Exception, options.MaxRetryDelay)),
                MaxRetryAttempts = options.Retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                DelayGenerator = arguments => ValueTask.FromResult(AskedDelay(arguments.Outcome.Exception)),
            });
        }

        return pipeline
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<UpstreamAnswer>
            {
                ShouldHandle = arguments => ValueTask.FromResult(
                    IsTransient(arguments.Outcome.Exception) && arguments.Outcome.Exception is not UpstreamException { IsThrottled: true }),
                FailureRatio = .5,
                MinimumThroughput = options.BreakAfter,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = options.BreakDuration,
            })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.AttemptTimeout })
            .Build();
    }

    private static bool MayRetry(Exception? fault, TimeSpan maxDelay) => IsTransient(fault) && !(fault is UpstreamException { RetryAfter: { } asked } && asked > maxDelay);

    private static bool IsTransient(Exception? fault) =>
        fault is UpstreamException { IsTransient: true } or HttpRequestException or IOException or TimeoutRejectedException;

    /// <summary>What the upstream asks for, and up to a quarter more, so that not all waiting calls come at once.</summary>
    private static TimeSpan? AskedDelay(Exception? fault) =>
        fault is UpstreamException { RetryAfter: { } asked } ? (asked > TimeSpan.Zero ? asked : TimeSpan.Zero) * (1 + Random.Shared.NextDouble() / 4) : null;
}
