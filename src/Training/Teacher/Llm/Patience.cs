using System.ClientModel;
using System.Globalization;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace SaferGuard.Training.Teacher.Llm;

/// <param name="CallTimeout">The longest that one call may take.</param>
/// <param name="Delay">Before the first retry; it doubles, with jitter. An endpoint's Retry-After goes before it.</param>
/// <param name="BreakAfter">So many calls, half of them failed, within half a minute stop all calls for <paramref name="BreakDuration"/>.</param>
internal sealed record PatienceOptions(int Retries, TimeSpan CallTimeout, TimeSpan Delay, int BreakAfter, TimeSpan BreakDuration)
{
    public static PatienceOptions Default { get; } = new(
        Retries: 6, CallTimeout: TimeSpan.FromMinutes(2), Delay: TimeSpan.FromSeconds(1), BreakAfter: 10, BreakDuration: TimeSpan.FromSeconds(15));
}

/// <summary>Whom a fault concerns.</summary>
internal enum FaultScope
{
    /// <summary>The next call may do better.</summary>
    Call,

    /// <summary>This row will always fail: the endpoint does not take it.</summary>
    Row,

    /// <summary>Every row will fail: a wrong key, model or address.</summary>
    Run,
}

/// <summary>Retries, time limit and circuit breaker around the calls of one endpoint.</summary>
internal sealed class Patience
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(5);

    private readonly ResiliencePipeline _pipeline;

    public Patience(PatienceOptions options)
    {
        var retry = new RetryStrategyOptions
        {
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } fault && ScopeOf(fault) == FaultScope.Call),
            MaxRetryAttempts = Math.Max(1, options.Retries),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = options.Delay,
            MaxDelay = MaxDelay,
            DelayGenerator = arguments => ValueTask.FromResult(AskedDelay(arguments.Outcome.Exception)),
        };
        var pipeline = new ResiliencePipelineBuilder();
        if (options.Retries > 0) pipeline.AddRetry(retry);
        _pipeline = pipeline
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // "Too many requests" is an endpoint at work: each call waits as it is told.
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is { } fault && fault is not ClientResultException { Status: 429 } && ScopeOf(fault) == FaultScope.Call),
                FailureRatio = .5,
                MinimumThroughput = Math.Max(2, options.BreakAfter),
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = options.BreakDuration,
            })
            .AddTimeout(options.CallTimeout)
            .Build();
    }

    public Task<T> ExecuteAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        _pipeline.ExecuteAsync(async token => await call(token), cancellation).AsTask();

    /// <summary>What the client throws on a broken answer is not documented: all that is not clearly the request's fault may pass. A cancelled call is never repeated.</summary>
    public static FaultScope ScopeOf(Exception fault) => fault switch
    {
        ClientResultException { Status: 401 or 403 or 404 or (>= 300 and < 400) } => FaultScope.Run,
        ClientResultException { Status: (>= 400 and < 500) and not (408 or 409 or 425 or 429) } => FaultScope.Row,
        _ => FaultScope.Call,
    };

    /// <summary>What the endpoint or the open circuit asks for, and up to a quarter more, so that not all waiting calls come at once.</summary>
    private static TimeSpan? AskedDelay(Exception? fault)
    {
        var asked = fault switch
        {
            ClientResultException refused => RetryAfter(refused),
            BrokenCircuitException broken => broken.RetryAfter,
            _ => null,
        };
        return asked is not { } delay ? null : (delay < MaxDelay ? delay : MaxDelay) * (1 + Random.Shared.NextDouble() / 4);
    }

    private static TimeSpan? RetryAfter(ClientResultException refused)
    {
        if (refused.GetRawResponse() is not { } response || !response.Headers.TryGetValue("Retry-After", out var header)) return null;
        if (double.TryParse(header, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(Math.Min(seconds, MaxDelay.TotalSeconds));
        return DateTimeOffset.TryParse(header, CultureInfo.InvariantCulture, out var date) && date > DateTimeOffset.UtcNow
            ? date - DateTimeOffset.UtcNow
            : null;
    }
}
