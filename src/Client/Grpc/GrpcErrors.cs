using System.Globalization;
using System.Net;
using Google.Rpc;
using Grpc.Core;

namespace SaferGuard.Client.Grpc;

/// <summary>Says a status of gRPC as the exception that the same error is over REST.</summary>
internal static class GrpcErrors
{
    public static SaferGuardException Of(RpcException fault)
    {
        var status = fault.GetRpcStatus();
        if (status?.GetDetail<ErrorInfo>() is not { } info || !info.Metadata.TryGetValue("type", out var type))
            return SaferGuardException.Of(Http(fault.StatusCode), Unexplained(fault), null);

        var http = info.Metadata.TryGetValue("status", out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var number)
            ? (HttpStatusCode)number
            : Http(fault.StatusCode);
        var problem = new Problem(
            type, info.Metadata.GetValueOrDefault("title") ?? info.Reason, (int)http, status.Message, status.GetDetail<RequestInfo>()?.RequestId)
        {
            Errors = [.. status.GetDetail<BadRequest>()?.FieldViolations.Select(violation => new FieldError(violation.Field, violation.Description)) ?? []],
        };
        return SaferGuardException.Of(http, problem, status.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan());
    }

    /// <summary>Not of the service itself, but of what lies between.</summary>
    private static Problem Unexplained(RpcException fault) =>
        new("about:blank", fault.StatusCode.ToString(), (int)Http(fault.StatusCode), fault.Status.Detail, null);

    private static HttpStatusCode Http(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument or StatusCode.OutOfRange or StatusCode.FailedPrecondition => HttpStatusCode.BadRequest,
        StatusCode.NotFound or StatusCode.Unimplemented => HttpStatusCode.NotFound,
        StatusCode.Unauthenticated => HttpStatusCode.Unauthorized,
        StatusCode.PermissionDenied => HttpStatusCode.Forbidden,
        StatusCode.AlreadyExists or StatusCode.Aborted => HttpStatusCode.Conflict,
        StatusCode.ResourceExhausted => HttpStatusCode.TooManyRequests,
        StatusCode.DeadlineExceeded => HttpStatusCode.GatewayTimeout,
        _ => HttpStatusCode.ServiceUnavailable,
    };
}
