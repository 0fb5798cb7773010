using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Client.Grpc;

/// <summary>Speaks to a SaferGuard service over gRPC. Safe for concurrent use; make one and keep it.</summary>
public sealed class SaferGuardGrpcClient : ISaferGuardClient, IDisposable
{
    private readonly V1.GuardService.GuardServiceClient _service;
    private readonly SaferGuardClientOptions _options;
    private readonly GrpcChannel _channel;
    private readonly bool _ownsChannel;

    /// <summary>Speaks to the service at its address for gRPC, such as <c>http://127.0.0.1:8081</c>.</summary>
    public SaferGuardGrpcClient(Uri address, SaferGuardClientOptions? options = null)
        : this(Channel(address, options ?? new()), options) => _ownsChannel = true;

    /// <summary>Speaks through a channel, which stays the caller's. Whether calls are tried again is the channel's affair.</summary>
    public SaferGuardGrpcClient(GrpcChannel channel, SaferGuardClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(channel);
        _channel = channel;
        _service = new(channel);
        _options = options ?? new();
    }

    /// <inheritdoc/>
    public Task<Assessment> AssessAsync(AssessRequest request, CancellationToken cancellationToken = default) => CallAsync(
        async () => GrpcJudgments.Assessment(await _service.AssessAsync(GrpcRequests.Write(request), Options(cancellationToken)).ConfigureAwait(false)),
        cancellationToken);

    /// <inheritdoc/>
    public Task<Completion> CompleteAsync(CompleteRequest request, CancellationToken cancellationToken = default) => CallAsync(
        async () => GrpcJudgments.Completion(await _service.CompleteAsync(GrpcRequests.Write(request), Options(cancellationToken)).ConfigureAwait(false)),
        cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<CompletionUpdate> StreamAsync(
        CompleteRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var call = _service.CompleteStream(GrpcRequests.Write(request), Options(cancellationToken).WithDeadline(DateTime.MaxValue));
        while (await CallAsync(() => call.ResponseStream.MoveNext(cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            if (GrpcJudgments.Update(call.ResponseStream.Current) is not { } update) continue;
            yield return update;
            if (update is CompletionUpdate.Completed) yield break;
        }

        throw new SaferGuardUnavailableException("SaferGuard's stream ended before the completion was whole.");
    }

    /// <inheritdoc/>
    public Task<Assessment?> FindTraceAsync(string id, CancellationToken cancellationToken = default) => CallAsync<Assessment?>(
        async () =>
        {
            try
            {
                return GrpcJudgments.Stored(await _service.GetTraceAsync(new() { Id = id }, Options(cancellationToken)).ConfigureAwait(false));
            }
            catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound)
            {
                return null;
            }
        },
        cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<Assessment> ListTracesAsync(
        Decision? decision = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new V1.ListTracesRequest { PageSize = SaferGuardClient.PageSize, Decision = GrpcEnum<V1.Decision>.Of(decision) };
        do
        {
            var page = await CallAsync(
                async () => await _service.ListTracesAsync(request, Options(cancellationToken)).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            foreach (var stored in page.Traces) yield return GrpcJudgments.Stored(stored);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsChannel) _channel.Dispose();
    }

    private static async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (RpcException fault)
        {
            throw GrpcErrors.Of(fault);
        }
    }

    private static GrpcChannel Channel(Uri address, SaferGuardClientOptions options)
    {
        var configuration = new ServiceConfig();
        if (options.MaxRetries > 0)
        {
            configuration.MethodConfigs.Add(new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new()
                {
                    MaxAttempts = options.MaxRetries + 1,
                    InitialBackoff = TimeSpan.FromMilliseconds(200),
                    MaxBackoff = options.MaxRetryDelay,
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable, StatusCode.ResourceExhausted },
                },
            });
        }

        return GrpcChannel.ForAddress(address, new() { ServiceConfig = configuration, MaxRetryAttempts = options.MaxRetries + 1 });
    }

    private CallOptions Options(CancellationToken cancellation)
    {
        var headers = _options.ApiKey is { } key ? new Metadata { { "authorization", $"Bearer {key}" } } : null;
        return new(headers, DateTime.UtcNow + _options.Timeout, cancellation);
    }
}
