using System.Net;

namespace SaferGuard.Client;

/// <summary>The service did not do what it was asked. What it said of the reason is here (RFC 9457).</summary>
public class SaferGuardException(string message, Problem? problem = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the service said; null when it said nothing that could be read.</summary>
    public Problem? Problem => problem;

    /// <summary>Finds the request in the service's logs and traces.</summary>
    public string? TraceId => problem?.TraceId;

    internal static SaferGuardException Of(HttpStatusCode status, Problem? problem, TimeSpan? retryAfter)
    {
        var message = problem is null
            ? $"SaferGuard answered {(int)status} without saying why."
            : string.Join(' ', [$"{problem.Title}: {problem.Detail}", .. problem.Errors.Select(error => $"{error.Field} {error.Message}.")]);
        return (int)status switch
        {
            _ when problem?.Type == SaferGuardWithheldException.ProblemType => new SaferGuardWithheldException(message, problem),
            401 or 403 => new SaferGuardAccessException(message, problem),
            429 => new SaferGuardRateLimitException(message, problem, retryAfter),
            >= 500 or 408 => new SaferGuardUnavailableException(message, problem, retryAfter),
            _ => new SaferGuardRequestException(message, problem),
        };
    }
}

/// <summary>The request is not one that the service takes. <see cref="Problem.Errors"/> says which field is wrong, and how to mend it.</summary>
public sealed class SaferGuardRequestException(string message, Problem? problem = null) : SaferGuardException(message, problem);

/// <summary>A streamed answer was judged and refused after a part of it had come: take that part back.</summary>
public sealed class SaferGuardWithheldException(string message, Problem? problem = null) : SaferGuardException(message, problem)
{
    internal const string ProblemType = "urn:saferguard:problem:output-withheld";
}

/// <summary>The key is missing, unknown, or not allowed to do this.</summary>
public sealed class SaferGuardAccessException(string message, Problem? problem = null) : SaferGuardException(message, problem);

/// <summary>The key has used up its share for now.</summary>
public sealed class SaferGuardRateLimitException(string message, Problem? problem = null, TimeSpan? retryAfter = null) : SaferGuardException(message, problem)
{
    /// <summary>When to try again, if the service said so.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>The service could not be reached, cannot judge now, or broke off. Nothing was judged, as far as is known.</summary>
public sealed class SaferGuardUnavailableException(string message, Problem? problem = null, TimeSpan? retryAfter = null, Exception? inner = null)
    : SaferGuardException(message, problem, inner)
{
    /// <summary>When to try again, if the service said so.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>An error with its explanation, as problem details.</summary>
/// <param name="Type">The kind of error, which never changes, for example <c>urn:saferguard:problem:invalid-request</c>.</param>
/// <param name="TraceId">Finds the request in the service's logs and traces.</param>
public sealed record Problem(string Type, string Title, int Status, string Detail, string? TraceId)
{
    /// <summary>Everything that is wrong with the request.</summary>
    public IReadOnlyList<FieldError> Errors { get => field ?? []; init; }
}

/// <summary>One thing that is wrong with a request.</summary>
public sealed record FieldError(string Field, string Message);
