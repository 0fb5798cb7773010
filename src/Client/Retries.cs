using System.Net;
using Polly;
using Polly.Retry;

namespace SaferGuard.Client;

/// <summary>Tries again what may succeed later, after the pause that the service asks for, or a growing one.</summary>
internal sealed class Retries
{
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    public Retries(SaferGuardClientOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxRetries);
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>();
        if (options.MaxRetries > 0)
        {
            pipeline.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = options.MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = options.MaxRetryDelay,
                ShouldHandle = tried => ValueTask.FromResult(
                    tried.Outcome.Exception is HttpRequestException or TimeoutException
                    || (tried.Outcome.Result is { } response && MayPass(response) && !(RetryAfter(response) > options.MaxRetryDelay))),
                DelayGenerator = tried => ValueTask.FromResult(tried.Outcome.Result is { } response ? RetryAfter(response) : null),
                OnRetry = tried =>
                {
                    tried.Outcome.Result?.Dispose();
                    return ValueTask.CompletedTask;
                },
            });
        }

        _pipeline = pipeline.Build();
    }

    public async Task<HttpResponseMessage> RunAsync(Func<CancellationToken, Task<HttpResponseMessage>> attempt, CancellationToken cancellation) =>
        await _pipeline.ExecuteAsync(async token => await attempt(token).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    /// <summary>The pause that the response asks for, if it does.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } pause } => pause,
        { Date: { } moment } => moment > DateTimeOffset.UtcNow ? moment - DateTimeOffset.UtcNow : TimeSpan.Zero,
        _ => null,
    };

    private static bool MayPass(HttpResponseMessage response) => response.StatusCode
        is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway
        or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
        // The try before this one is still at work: its answer will be this one's, too.
        || (response.StatusCode is HttpStatusCode.Conflict && RetryAfter(response) is not null);
}
