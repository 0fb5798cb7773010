using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Grpc;

/// <summary>Says an error of the table as a google.rpc.Status.</summary>
internal static class RpcStatus
{
    /// <summary>The header or trailer that carries it.</summary>
    public const string Details = "grpc-status-details-bin";

    private const string Domain = "saferguard";

    /// <summary>Many clients take no more than 8 KB of trailers, and base64 makes a third more of these.</summary>
    private const int MaxViolationBytes = 4096;

    public static Status Of(HttpContext http, ProblemException problem)
    {
        var reason = problem.Kind.Name.Replace('-', '_').ToUpperInvariant();
        var status = new Status { Code = (int)problem.Kind.Code, Message = problem.Message };
        status.Details.Add(Any.Pack(new ErrorInfo
        {
            Reason = reason,
            Domain = Domain,
            Metadata = { ["type"] = problem.Kind.Type, ["title"] = problem.Kind.Title, ["status"] = $"{problem.Kind.Status}" },
        }));
        if (problem.Errors.Count > 0) status.Details.Add(Any.Pack(Violations(problem.Errors)));
        if (problem.RetryAfter is { } wait) status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(wait) }));
        status.Details.Add(Any.Pack(new RequestInfo { RequestId = ProblemWriter.TraceIdOf(http) }));
        return status;
    }

    /// <summary>
    /// Answers a call that was turned away before it reached its method. The status is then all there is, and stands in the headers.
    /// </summary>
    public static Task WriteAsync(HttpContext http, ProblemException problem)
    {
        var status = Of(http, problem);
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = $"{status.Code}";
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(status.Message);
        http.Response.Headers[Details] = Convert.ToBase64String(status.ToByteArray());
        return http.Response.CompleteAsync();
    }

    private static BadRequest Violations(IReadOnlyList<FieldError> errors)
    {
        var violations = new BadRequest();
        var bytes = 0;
        foreach (var error in errors)
        {
            var violation = new BadRequest.Types.FieldViolation { Field = error.Field, Description = error.Message };
            bytes += violation.CalculateSize();
            if (bytes > MaxViolationBytes) break;
            violations.FieldViolations.Add(violation);
        }

        return violations;
    }
}
