using System.Text.Json.Serialization;
using Grpc.Core;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Upstream;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Templates;

namespace SaferGuard.Api.Operations;

/// <summary>A kind of error, the same on every surface. <paramref name="Name"/> never changes: clients match on the type that it makes.</summary>
internal sealed record ErrorKind(string Name, int Status, string Title)
{
    public string Type { get; } = $"urn:saferguard:problem:{Name}";

    /// <summary>What <see cref="Status"/> is on gRPC.</summary>
    public StatusCode Code { get; init; } = Status switch
    {
        StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
        StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status405MethodNotAllowed or StatusCodes.Status501NotImplemented => StatusCode.Unimplemented,
        StatusCodes.Status408RequestTimeout or StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
        StatusCodes.Status409Conflict => StatusCode.Aborted,
        StatusCodes.Status412PreconditionFailed or StatusCodes.Status428PreconditionRequired => StatusCode.FailedPrecondition,
        StatusCodes.Status429TooManyRequests => StatusCode.ResourceExhausted,
        StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
        >= 500 => StatusCode.Internal,
        _ => StatusCode.InvalidArgument,
    };
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Field">Where: a path such as <c>messages[2].role</c>, or <c>body</c>.</param>
/// <param name="Message">What is wrong with it, or what it must be.</param>
internal sealed record FieldError(string Field, string Message);

/// <summary>An error with its explanation, as RFC 9457 problem details.</summary>
/// <param name="Type">The kind of error; it never changes.</param>
/// <param name="Detail">What to do about it.</param>
/// <param name="TraceId">Finds the request in the logs.</param>
/// <param name="Errors">Everything that is wrong with the request, as far as it could be read.</param>
internal sealed record Problem(
    string Type, string Title, int Status, string Detail, [property: JsonPropertyName("traceId")] string TraceId, IReadOnlyList<FieldError> Errors)
{
    public const string ContentType = "application/problem+json";
}

/// <summary>Stops a request with an error of the table.</summary>
internal sealed class ProblemException(ErrorKind kind, string detail, params IReadOnlyList<FieldError> errors) : Exception(detail)
{
    public ErrorKind Kind => kind;

    public IReadOnlyList<FieldError> Errors => errors;

    /// <summary>When it makes sense to try again, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>How a caller makes itself known (<c>WWW-Authenticate</c>), where that is what is missing.</summary>
    public string? Challenge { get; init; }

    /// <summary>What had been judged before the request failed, for surfaces that tell it.</summary>
    public JudgmentBody? Judged { get; init; }
}

/// <summary>The error table: every kind of error, and which exception is of which kind.</summary>
internal static class Errors
{
    public static readonly ErrorKind InvalidRequest = new("invalid-request", StatusCodes.Status400BadRequest, "The request is not valid");
    public static readonly ErrorKind Unauthenticated = new("unauthenticated", StatusCodes.Status401Unauthorized, "The caller is not known");
    public static readonly ErrorKind Forbidden = new("forbidden", StatusCodes.Status403Forbidden, "The caller may not do this");
    public static readonly ErrorKind NotFound = new("not-found", StatusCodes.Status404NotFound, "There is nothing at this address");
    public static readonly ErrorKind ModelNotFound = new("model-not-found", StatusCodes.Status404NotFound, "There is no such model");
    public static readonly ErrorKind TraceNotFound = new("trace-not-found", StatusCodes.Status404NotFound, "There is no such trace");
    public static readonly ErrorKind PolicyNotFound = new("policy-not-found", StatusCodes.Status404NotFound, "There is no such policy");
    public static readonly ErrorKind MethodNotAllowed = new("method-not-allowed", StatusCodes.Status405MethodNotAllowed, "The method is not allowed here");
    public static readonly ErrorKind RequestTimeout = new("request-timeout", StatusCodes.Status408RequestTimeout, "The request came too slowly");
    public static readonly ErrorKind IdempotencyInFlight = new("idempotency-in-flight", StatusCodes.Status409Conflict, "The same request is in flight");
    public static readonly ErrorKind PreconditionFailed = new("precondition-failed", StatusCodes.Status412PreconditionFailed, "It has been changed meanwhile");
    public static readonly ErrorKind BodyTooLarge = new("body-too-large", StatusCodes.Status413PayloadTooLarge, "The request body is too large");
    public static readonly ErrorKind PromptTooLong = new("prompt-too-long", StatusCodes.Status413PayloadTooLarge, "The prompt is too long for the model");
    public static readonly ErrorKind UnsupportedMediaType = new("unsupported-media-type", StatusCodes.Status415UnsupportedMediaType, "The content type is not supported");
    public static readonly ErrorKind IdempotencyReused = new("idempotency-key-reused", StatusCodes.Status422UnprocessableEntity, "The Idempotency-Key belongs to another request");
    public static readonly ErrorKind RateLimited = new("rate-limited", StatusCodes.Status429TooManyRequests, "The caller uses too much");
    public static readonly ErrorKind Internal = new("internal", StatusCodes.Status500InternalServerError, "The service failed");
    public static readonly ErrorKind NoAnswerSource = new("no-answer-source", StatusCodes.Status501NotImplemented, "There is no model that answers");
    public static readonly ErrorKind Unavailable = new("unavailable", StatusCodes.Status503ServiceUnavailable, "The guard cannot judge now");
    public static readonly ErrorKind PolicyUnavailable = new("policy-unavailable", StatusCodes.Status503ServiceUnavailable, "The policy that applies is not there");
    public static readonly ErrorKind PoliciesNotWritable = new("policies-not-writable", StatusCodes.Status503ServiceUnavailable, "The policy could not be written");
    public static readonly ErrorKind TimedOut = new("timed-out", StatusCodes.Status504GatewayTimeout, "The judgment took too long");
    public static readonly ErrorKind NotReady = new("not-ready", StatusCodes.Status503ServiceUnavailable, "The service is not ready");

    public static readonly ErrorKind OutputWithheld = new("output-withheld", StatusCodes.Status422UnprocessableEntity, "The rest of the answer was withheld") { Code = StatusCode.Aborted };
    public static readonly ErrorKind UpstreamFailed = new("upstream-failed", StatusCodes.Status502BadGateway, "The model behind the guard failed");
    public static readonly ErrorKind UpstreamRefused = new("upstream-refused", StatusCodes.Status502BadGateway, "The model behind the guard does not take the request");
    public static readonly ErrorKind UpstreamUnavailable = new("upstream-unavailable", StatusCodes.Status503ServiceUnavailable, "The model behind the guard cannot answer now");
    public static readonly ErrorKind UpstreamTimedOut = new("upstream-timed-out", StatusCodes.Status504GatewayTimeout, "The model behind the guard took too long");

    /// <summary>What a client is told about an exception. Unknown ones give nothing away.</summary>
    public static ProblemException Of(Exception exception) => exception switch
    {
        ProblemException problem => problem,
        UpstreamException upstream => new(upstream.Kind, upstream.Message) { RetryAfter = upstream.RetryAfter },
        EngineTimeoutException => new(TimedOut, "Nothing was judged. The service is busy, or the conversation long: try again later."),
        EngineUnavailableException => new(Unavailable, "The queue is full or the engine has stopped. Nothing was judged; try again later.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        },
        PromptTooLongException e => new(
            PromptTooLong, $"As the model is asked for its answer, the conversation has {e.Tokens} tokens; it reads at most {e.Limit}. Shorten the text."),
        TemplateException { IsRaisedByTemplate: true } e => new(InvalidRequest, $"The model that answers does not take such a conversation: {e.Reason}"),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            new(BodyTooLarge, "Send a smaller body.", new FieldError("body", "has more bytes than the service accepts")),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new(RequestTimeout, "Send the body without pauses."),
        BadHttpRequestException => new(InvalidRequest, "The HTTP message is malformed or ended early.", new FieldError("body", "could not be read")),
        _ => new(Internal, "This is a fault of the service, not of the request. Report the traceId."),
    };

    /// <summary>What a client is told when a response has this status and no body, such as those of the router.</summary>
    public static ProblemException? OfStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => new(NotFound, "See /openapi/v1.json for the addresses that there are."),
        StatusCodes.Status405MethodNotAllowed => new(MethodNotAllowed, "See the Allow header, or /openapi/v1.json."),
        StatusCodes.Status415UnsupportedMediaType => new(UnsupportedMediaType, "Send the body as application/json in UTF-8, without Content-Encoding."),
        >= 500 => new(Internal, "This is a fault of the service, not of the request. Report the traceId."),
        >= 400 => new(InvalidRequest, "The request could not be understood."),
        _ => null,
    };
}
