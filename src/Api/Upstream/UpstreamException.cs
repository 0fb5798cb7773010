using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Upstream;

/// <summary>The upstream did not answer as it should. Nothing that it sent is quoted: servers repeat prompts and keys.</summary>
/// <param name="retryAfter">How long the upstream asks to wait.</param>
internal sealed class UpstreamException(ErrorKind kind, string detail, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(detail, inner)
{
    public ErrorKind Kind => kind;

    public TimeSpan? RetryAfter => retryAfter ?? (kind == Errors.UpstreamUnavailable ? TimeSpan.FromSeconds(1) : null);

    /// <summary>The same call may do better later.</summary>
    public bool IsTransient => kind != Errors.UpstreamRefused;

    /// <summary>The upstream is at work and asks for patience; this says nothing against it.</summary>
    public bool IsThrottled { get; init; }
}
