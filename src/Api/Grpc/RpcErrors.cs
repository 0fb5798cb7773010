using Grpc.Core;
using Grpc.Core.Interceptors;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Telemetry;

namespace SaferGuard.Api.Grpc;

/// <summary>Turns every exception of a call into a status, by the same table as <see cref="ProblemWriter"/>.</summary>
internal sealed class RpcErrors(GuardMetrics metrics, ILogger<RpcErrors> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw Told(fault, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw Told(fault, context);
        }
    }

    private RpcException Told(Exception fault, ServerCallContext context)
    {
        // Nobody is told: the client has gone, or has its own deadline.
        if (context.CancellationToken.IsCancellationRequested)
            return new(new(context.Deadline <= DateTime.UtcNow ? StatusCode.DeadlineExceeded : StatusCode.Cancelled, "The call ended before its answer."));

        var problem = Errors.Of(fault);
        metrics.Failed(problem.Kind);
        if (problem.Kind == Errors.Internal) ProblemWriter.Log(logger, fault);
        return RpcStatus.Of(context.GetHttpContext(), problem).ToRpcException();
    }
}
