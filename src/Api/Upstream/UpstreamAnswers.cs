using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using SaferGuard.Api.Answers;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Upstream;

/// <summary>
/// Answers of the upstream. A call waits for its turn, is tried again while nothing of its answer has come, and is given up when its time is over.
/// </summary>
internal sealed class UpstreamAnswers : IAnswerSource, IDisposable
{
    public const string Client = "upstream";

    private readonly IHttpClientFactory _clients;
    private readonly UpstreamOptions _options;
    private readonly TimeProvider _time;
    private readonly ConcurrencyLimiter _turns;
    private readonly ResiliencePipeline<UpstreamAnswer> _pipeline;

    public UpstreamAnswers(IHttpClientFactory clients, UpstreamOptions options, TimeProvider time)
    {
        (_clients, _options, _time) = (clients, options, time);
        _turns = new(new() { PermitLimit = options.MaxConcurrent, QueueLimit = options.MaxWaiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
        _pipeline = UpstreamPipeline.Build(options, time);
    }

    public OutputSource Kind => OutputSource.Upstream;

    public async Task<IAnswer> OpenAsync(AnswerRequest request, CancellationToken cancellation)
    {
        var timeout = new CancellationTokenSource(_options.TotalTimeout, _time);
        var total = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        RateLimitLease? turn = null;
        try
        {
            turn = await _turns.AcquireAsync(1, total.Token);
            if (!turn.IsAcquired) throw new UpstreamException(Errors.UpstreamUnavailable, "Too many answers are being written. Try again later.");
            var body = UpstreamRequest.Write(request);
            var answer = await _pipeline.ExecuteAsync(async attempt => await TryAsync(body, request.Model, attempt), total.Token);
            return new TimedAnswer(answer, turn, timeout, total);
        }
        catch (Exception fault)
        {
            var isTimeout = timeout.IsCancellationRequested && !cancellation.IsCancellationRequested;
            turn?.Dispose();
            total.Dispose();
            timeout.Dispose();
            if (fault is OperationCanceledException && isTimeout) throw TimedOut(fault);
            throw Known(fault);
        }
    }

    public void Dispose() => _turns.Dispose();

    private async Task<UpstreamAnswer> TryAsync(byte[] body, string model, CancellationToken attempt)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{_options.BaseUrl!.AbsoluteUri.TrimEnd('/')}/chat/completions"));
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        request.Headers.Authorization = UpstreamKey.Header(_options);
        var response = await _clients.CreateClient(Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, attempt);
        try
        {
            RequireSuccess(response);
            var stream = new UpstreamStream(await response.Content.ReadAsStreamAsync(attempt), _options.MaxAnswerBytes, _options.IdleTimeout, _time);
            return await UpstreamAnswer.OpenAsync(response, stream, model, attempt);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private void RequireSuccess(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.OK) return;
        var status = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        throw (int)response.StatusCode switch
        {
            429 => new UpstreamException(Errors.UpstreamUnavailable, "The upstream takes no more requests now (429). Try again later.", wait) { IsThrottled = true },
            408 or >= 500 => new UpstreamException(Errors.UpstreamFailed, $"The upstream failed ({status}).", wait),
            _ => new UpstreamException(Errors.UpstreamRefused, $"The upstream does not take this request ({status}). Look at its address, key and model, and at the request's fields."),
        };
    }

    private static Exception Known(Exception fault) => fault switch
    {
        BrokenCircuitException broken => new UpstreamException(
            Errors.UpstreamUnavailable, "The upstream has failed too often and is given a pause. Try again later.", broken.RetryAfter, broken),
        TimeoutRejectedException => TimedOut(fault),
        HttpRequestException or IOException => new UpstreamException(Errors.UpstreamFailed, "The upstream cannot be reached, or broke off.", inner: fault),
        _ => fault,
    };

    private static UpstreamException TimedOut(Exception fault) => new(Errors.UpstreamTimedOut, "The upstream did not answer in time.", inner: fault);

    /// <summary>An answer that must end in time, and with it ends its turn.</summary>
    private sealed class TimedAnswer(UpstreamAnswer answer, RateLimitLease turn, CancellationTokenSource timeout, CancellationTokenSource total) : IAnswer
    {
        public AnswerEnd? End => answer.End;

        public async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            await using var pieces = answer.ReadAsync(total.Token).GetAsyncEnumerator(CancellationToken.None);
            while (await NextAsync(pieces, cancellation)) yield return pieces.Current;
        }

        public async ValueTask DisposeAsync()
        {
            await answer.DisposeAsync();
            total.Dispose();
            timeout.Dispose();
            turn.Dispose();
        }

        private async Task<bool> NextAsync(IAsyncEnumerator<string> pieces, CancellationToken cancellation)
        {
            try
            {
                return await pieces.MoveNextAsync();
            }
            catch (OperationCanceledException fault) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                throw TimedOut(fault);
            }
        }
    }
}
