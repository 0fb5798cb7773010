using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Failures;

/// <summary>
/// What happens to a completion when the guard cannot do its part. Section <c>Failure</c>. <c>fail_closed</c>: it ends with an error.
/// <c>fail_open</c>: it goes on, is marked as degraded, and is counted. A verdict that was asked for (<c>/v1/assess</c>) is never made up.
/// </summary>
internal sealed class FailureOptions
{
    public const string Closed = "fail_closed";
    public const string Open = "fail_open";

    /// <summary>The prompt cannot be judged.</summary>
    [AllowedValues(Closed, Open, ErrorMessage = "Failure: Input must be fail_closed or fail_open.")]
    public string Input { get; set; } = Closed;

    /// <summary>The answer cannot be judged.</summary>
    [AllowedValues(Closed, Open, ErrorMessage = "Failure: Output must be fail_closed or fail_open.")]
    public string Output { get; set; } = Closed;

    /// <summary>A judgment, of any surface, cannot be stored.</summary>
    [AllowedValues(Closed, Open, ErrorMessage = "Failure: Store must be fail_closed or fail_open.")]
    public string Store { get; set; } = Closed;
}
