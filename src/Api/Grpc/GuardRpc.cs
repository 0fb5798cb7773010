using Grpc.Core;
using SaferGuard.Api.Access;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Traces;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Grpc;

/// <summary>The methods of <c>proto/saferguard/v1/guard.proto</c>.</summary>
internal sealed class GuardRpc(Judge judge, TraceReader traces, LimitOptions limits) : GuardService.GuardServiceBase
{
    [RequireScope(Scope.Assess)]
    public override async Task<Judgment> Assess(Protocol.V1.AssessRequest request, ServerCallContext context) =>
        RpcJudgments.Of(await judge.AssessAsync(RpcRequests.Read(request, limits), Caller(context), context.CancellationToken));

    [RequireScope(Scope.Complete)]
    public override async Task<Judgment> Complete(Protocol.V1.CompleteRequest request, ServerCallContext context) =>
        RpcJudgments.Of(await judge.CompleteAsync(RpcRequests.Read(request, limits), Caller(context), null, context.CancellationToken));

    [RequireScope(Scope.Complete)]
    public override async Task CompleteStream(
        Protocol.V1.CompleteRequest request, IServerStreamWriter<CompletionEvent> responseStream, ServerCallContext context)
    {
        var steps = judge.CompleteInStepsAsync(RpcRequests.Read(request, limits), Caller(context), context.CancellationToken);
        await foreach (var step in steps) await responseStream.WriteAsync(RpcJudgments.Of(step), context.CancellationToken);
    }

    [RequireScope(Scope.TracesRead)]
    public override async Task<Judgment> GetTrace(GetTraceRequest request, ServerCallContext context) =>
        RpcJudgments.Of(await traces.FindAsync(request.Id, Caller(context), context.CancellationToken));

    [RequireScope(Scope.TracesRead)]
    public override async Task<ListTracesResponse> ListTraces(ListTracesRequest request, ServerCallContext context)
    {
        var page = await traces.ListAsync(RpcRequests.Read(request), Caller(context), context.CancellationToken);
        return new() { Traces = { page.Judgments.Select(RpcJudgments.Of) }, NextPageToken = page.Next ?? "" };
    }

    private static Caller Caller(ServerCallContext context) => context.GetHttpContext().Caller();
}
