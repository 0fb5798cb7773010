using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.OpenAI;

/// <summary>An error, in OpenAI's shape.</summary>
internal sealed record OpenAIError(OpenAIErrorBody Error);

/// <param name="Message">What is wrong and what to do about it.</param>
/// <param name="Param">The first field that is wrong.</param>
/// <param name="Code">The kind of error: one of OpenAI's codes where there is one for it.</param>
internal sealed record OpenAIErrorBody(string Message, string Type, string? Param, string Code, OpenAIErrorDetail Saferguard);

/// <summary>What OpenAI's shape of an error has no place for.</summary>
/// <param name="Type">The kind of error, as on the other surfaces.</param>
/// <param name="TraceId">Finds the request in the logs.</param>
/// <param name="Errors">Everything that is wrong with the request.</param>
/// <param name="Verdict">What had been judged before the request failed.</param>
internal sealed record OpenAIErrorDetail(
    string Type,
    [property: JsonPropertyName("traceId")] string TraceId,
    IReadOnlyList<FieldError> Errors,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] VerdictBody? Verdict);

/// <summary>Tells the errors of the one table as OpenAI's clients know them.</summary>
internal static class OpenAIErrors
{
    private const int MaxErrorsInMessage = 5;

    /// <summary>Clients repeat what failed in the service, unless they are told that it would fail again.</summary>
    private const string ShouldRetry = "x-should-retry";

    public static Task WriteAsync(HttpContext http, ProblemException problem)
    {
        if (problem.Kind == Errors.NoAnswerSource) http.Response.Headers[ShouldRetry] = "false";
        RequestId.Set(http);
        return ProblemWriter.WriteBodyAsync(http, problem.Kind.Status, JudgmentBody.ContentType, Body(http, problem));
    }

    /// <summary>Ends a stream that failed. It has no name, since clients look into the data.</summary>
    public static ServerEvent Failed(HttpContext http, ProblemException problem) => new(null, Body(http, problem));

    private static byte[] Body(HttpContext http, ProblemException problem)
    {
        var (kind, errors) = (problem.Kind, problem.Errors);
        var sentences = errors.Take(MaxErrorsInMessage).Select(error => $"{error.Field} {error.Message}.");
        var detail = new OpenAIErrorDetail(kind.Type, ProblemWriter.TraceIdOf(http), errors, problem.Judged is { } judged ? VerdictBody.Of(judged) : null);
        var body = new OpenAIErrorBody(string.Join(' ', [problem.Message, .. sentences]), TypeOf(kind), errors.Count > 0 ? errors[0].Field : null, CodeOf(kind), detail);
        return JsonSerializer.SerializeToUtf8Bytes(new(body), OpenAIJson.Body.OpenAIError);
    }

    private static string TypeOf(ErrorKind kind) => kind.Status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error",
        StatusCodes.Status403Forbidden => "permission_error",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    private static string CodeOf(ErrorKind kind) => kind.Status switch
    {
        StatusCodes.Status401Unauthorized => "invalid_api_key",
        StatusCodes.Status429TooManyRequests => "rate_limit_exceeded",
        _ when kind == Errors.PromptTooLong => "context_length_exceeded",
        _ => kind.Name.Replace('-', '_'),
    };
}

/// <summary>The header in which OpenAI's clients look for what to report.</summary>
internal static class RequestId
{
    public static void Set(HttpContext http) => http.Response.Headers["x-request-id"] = ProblemWriter.TraceIdOf(http);
}
