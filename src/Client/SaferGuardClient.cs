using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace SaferGuard.Client;

/// <summary>Speaks to a SaferGuard service over REST. Safe for concurrent use; make one and keep it.</summary>
public sealed class SaferGuardClient : ISaferGuardClient, IDisposable
{
    internal const int PageSize = 50;

    private const string Json = "application/json";

    private readonly HttpClient _http;
    private readonly SaferGuardClientOptions _options;
    private readonly Retries _retries;
    private readonly bool _ownsHttp;

    /// <summary>Speaks to the service at an address, such as <c>http://127.0.0.1:8080</c>.</summary>
    public SaferGuardClient(Uri address, SaferGuardClientOptions? options = null)
        : this(Client(address), options) => _ownsHttp = true;

    /// <summary>Speaks through a client that has the service as its base address, and stays the caller's.</summary>
    public SaferGuardClient(HttpClient http, SaferGuardClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        _http = http;
        _options = options ?? new();
        _retries = new(_options);
    }

    /// <inheritdoc/>
    public async Task<Assessment> AssessAsync(AssessRequest request, CancellationToken cancellationToken = default)
    {
        var body = Body(request, WireJson.Default.AssessRequest);
        using var response = await PostAsync("v1/assess", body, null, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, WireJson.Default.Assessment, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<Completion> CompleteAsync(CompleteRequest request, CancellationToken cancellationToken = default)
    {
        var body = Body(request, WireJson.Default.CompleteRequest);
        using var response = await PostAsync("v1/complete", body, NewKey(), cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, WireJson.Default.Completion, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<CompletionUpdate> StreamAsync(
        CompleteRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var body = Body(request with { Stream = true }, WireJson.Default.CompleteRequest);
        using var response = await PostAsync("v1/complete", body, NewKey(), cancellationToken).ConfigureAwait(false);
        await foreach (var update in UpdateStream.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false)) yield return update;
    }

    /// <inheritdoc/>
    public async Task<Assessment?> FindTraceAsync(string id, CancellationToken cancellationToken = default)
    {
        var address = $"v1/traces/{Uri.EscapeDataString(id)}";
        try
        {
            using var response = await SendAsync(() => new(HttpMethod.Get, address), cancellationToken).ConfigureAwait(false);
            return Stored(await ReadAsync(response, WireJson.Default.JsonElement, cancellationToken).ConfigureAwait(false));
        }
        catch (SaferGuardRequestException missing) when (missing.Problem?.Status == 404)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Assessment> ListTracesAsync(
        Decision? decision = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var filter = decision is { } only ? $"&decision={only.ToString().ToLowerInvariant()}" : "";
        for (string? token = ""; token is not null;)
        {
            var address = $"v1/traces?page_size={PageSize}{filter}{(token.Length > 0 ? $"&page_token={Uri.EscapeDataString(token)}" : "")}";
            using var response = await SendAsync(() => new(HttpMethod.Get, address), cancellationToken).ConfigureAwait(false);
            var page = await ReadAsync(response, WireJson.Default.TracePage, cancellationToken).ConfigureAwait(false);
            foreach (var stored in page.Data) yield return Stored(stored);
            token = page.NextPageToken;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsHttp) _http.Dispose();
    }

    internal static T Understood<T>(Func<T?> read)
    {
        try
        {
            return read() ?? throw new SaferGuardException("SaferGuard answered null.");
        }
        catch (JsonException unknown)
        {
            throw new SaferGuardException($"SaferGuard answered something that this client does not understand, at {unknown.Path}.", inner: unknown);
        }
    }

    private static Assessment Stored(JsonElement judgment) => judgment.ValueKind == JsonValueKind.Object && judgment.TryGetProperty("finish_reason", out _)
        ? Understood(() => judgment.Deserialize(WireJson.Default.Completion))
        : Understood(() => judgment.Deserialize(WireJson.Default.Assessment));

    /// <summary>Tries end after the timeout of the options, streams when they do.</summary>
    private static HttpClient Client(Uri address) =>
        new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };

    private static byte[] Body<T>(T request, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(request);
        return JsonSerializer.SerializeToUtf8Bytes(request, type);
    }

    /// <summary>
    /// Names a request to answer, so that one whose answer was lost is not answered twice. Judging twice does no harm, and keeping costs the service.
    /// </summary>
    private string? NewKey() => _options.MaxRetries > 0 ? Guid.CreateVersion7().ToString("N") : null;

    private Task<HttpResponseMessage> PostAsync(string address, byte[] body, string? key, CancellationToken cancellation) => SendAsync(
        () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(Json);
            if (key is not null) request.Headers.Add("Idempotency-Key", key);
            return request;
        },
        cancellation);

    /// <summary>A response that says that all is well; its body may not have come yet.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, CancellationToken cancellation)
    {
        try
        {
            var response = await _retries.RunAsync(token => TryAsync(create, token), cancellation).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return response;
            using (response) throw await ProblemReader.ReadAsync(response, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException unreachable)
        {
            throw new SaferGuardUnavailableException($"SaferGuard cannot be reached: {unreachable.Message}", inner: unreachable);
        }
        catch (TimeoutException late)
        {
            throw new SaferGuardUnavailableException(late.Message, inner: late);
        }
    }

    private async Task<HttpResponseMessage> TryAsync(Func<HttpRequestMessage> create, CancellationToken cancellation)
    {
        using var request = create();
        if (_options.ApiKey is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(_options.Timeout);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"SaferGuard did not answer within {_options.Timeout.TotalSeconds:0.#} s.");
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        try
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            return Understood(() => JsonSerializer.Deserialize(body, type));
        }
        catch (HttpRequestException broken)
        {
            throw new SaferGuardUnavailableException("SaferGuard broke off its answer.", inner: broken);
        }
    }
}
