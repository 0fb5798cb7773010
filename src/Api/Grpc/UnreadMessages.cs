using Google.Protobuf;
using Grpc.AspNetCore.Server;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Grpc;

/// <summary>
/// Tells by the table what is wrong with a message that could not be read: gRPC finds that out before <see cref="RpcErrors"/> is asked, and calls a
/// malformed message an unknown fault of the service.
/// </summary>
internal static class UnreadMessages
{
    private static readonly FieldError s_malformed =
        new("body", "is not a message of this method: it is malformed, or has text that is not valid Unicode");

    public static void Tell(EndpointBuilder endpoint)
    {
        var call = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = async http =>
        {
            await call(http);
            if (!http.Response.HasStarted && Problem(http) is { } problem) await RpcStatus.WriteAsync(http, problem);
        };
    }

    private static ProblemException? Problem(HttpContext http) => http.Features.Get<IServerCallContextFeature>()?.ServerCallContext.Status.DebugException switch
    {
        InvalidProtocolBufferException => new(Errors.InvalidRequest, "Send the messages of guard.proto. Nothing was judged.", s_malformed),
        BadHttpRequestException body => Errors.Of(body),
        _ => null,
    };
}
