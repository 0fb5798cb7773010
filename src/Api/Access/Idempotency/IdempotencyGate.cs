using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Access.Idempotency;

/// <summary>
/// Gives a request that is sent again with the same <c>Idempotency-Key</c> the reply of the first. Only replies of success are kept: an error judged and
/// stored nothing, so trying again is right. Two at once are told apart in one process; what was kept is found by every replica of the same store.
/// </summary>
internal sealed class IdempotencyGate(RequestDelegate next, KeptReplies replies, IdempotencyOptions options)
{
    private const string Replayed = "Idempotency-Replayed";
    private const string OwnFields = "x-saferguard-";

    /// <summary>Says that the failure policy let something through unjudged: a second try may be judged.</summary>
    private const string Degraded = "x-saferguard-degraded";

    private static readonly byte[] s_streamEnd = Encoding.ASCII.GetBytes(EventStream.Done);

    private readonly ConcurrentDictionary<(string Caller, string Key), bool> _inFlight = [];

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<AcceptsIdempotencyKey>() is null || IdempotencyKey.Of(http.Request) is not { } key)
        {
            await next(http);
            return;
        }

        var caller = http.Caller().Id;
        var request = await FingerprintAsync(http.Request);
        var claim = (caller, Convert.ToHexString(key));
        if (!_inFlight.TryAdd(claim, true)) throw InFlight();
        try
        {
            if (await replies.FindAsync(caller, key, http.RequestAborted) is not { } kept) await RecordAsync(http, caller, key, request);
            else if (kept.Request.AsSpan().SequenceEqual(request)) await ReplayAsync(http.Response, kept, http.RequestAborted);
            else throw Reused();
        }
        finally
        {
            _inFlight.TryRemove(claim, out _);
        }
    }

    private async Task RecordAsync(HttpContext http, string caller, byte[] key, byte[] request)
    {
        var client = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var recording = new RecordingStream(client.Stream, http.Response, options.MaxReplyBytes, s_streamEnd);
        var feature = new StreamResponseBodyFeature(recording, client);
        http.Features.Set<IHttpResponseBodyFeature>(feature);
        try
        {
            await next(http);
            await feature.Writer.FlushAsync(http.RequestAborted);
        }
        finally
        {
            http.Features.Set(client);
        }

        var isWhole = !recording.Streams || recording.HasEnded;
        if (http.Response.StatusCode is 200 && isWhole && !http.Response.Headers.ContainsKey(Degraded) && recording.Copy is { } body)
            await replies.KeepAsync(caller, key, request, http.Response, Fields(http.Response), body);
        await recording.ReleaseAsync(http.RequestAborted);
    }

    private static async Task ReplayAsync(HttpResponse response, KeptReply kept, CancellationToken cancellation)
    {
        response.StatusCode = kept.Status;
        response.ContentType = kept.ContentType;
        response.Headers[Replayed] = "true";
        foreach (var line in kept.Headers.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            response.Headers.Append(line[..colon], line[(colon + 1)..]);
        }

        await response.Body.WriteAsync(kept.Body, cancellation);
    }

    private static string Fields(HttpResponse response) => string.Join('\n', response.Headers
        .Where(field => field.Key.StartsWith(OwnFields, StringComparison.OrdinalIgnoreCase))
        .SelectMany(field => field.Value.Select(value => $"{field.Key}:{value}")));

    /// <summary>Reads the body into memory, where the server's limit bounds it, and hashes what is asked.</summary>
    private static async Task<byte[]> FingerprintAsync(HttpRequest request)
    {
        var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        request.Body = body;
        body.Position = 0;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path} {request.ContentType}\n"));
        hash.AppendData(body.GetBuffer().AsSpan(0, (int)body.Length));
        return hash.GetHashAndReset();
    }

    private static ProblemException InFlight() =>
        new(Errors.IdempotencyInFlight, "The first request with this Idempotency-Key is not finished. Wait for its reply, or ask again later.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };

    private static ProblemException Reused() => new(
        Errors.IdempotencyReused, "Choose a new Idempotency-Key for a new request, or send the first request again unchanged.",
        new FieldError(IdempotencyKey.Header, "was used for another request"));
}
