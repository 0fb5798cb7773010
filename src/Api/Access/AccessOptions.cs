using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Access.Tokens;

namespace SaferGuard.Api.Access;

/// <summary>Who may use the service while it has neither keys nor tokens to tell callers apart.</summary>
internal enum WithoutKeys
{
    /// <summary>Everybody on this machine; a service that listens beyond it does not start.</summary>
    OnLoopback,

    /// <summary>Everybody who can reach it. Only behind something else that keeps others out.</summary>
    Anywhere,

    /// <summary>Nobody.</summary>
    Never,
}

/// <summary>Who may use the service, and how much. Section <c>Access</c>.</summary>
internal sealed class AccessOptions
{
    /// <summary>Applies until the first key is created, unless tokens are accepted. It never applies again: not when the last key is revoked either.</summary>
    [EnumDataType(typeof(WithoutKeys))]
    public WithoutKeys WithoutKeys { get; set; } = WithoutKeys.OnLoopback;

    /// <summary>How long a key that was looked up is trusted without another look. A revocation takes effect this fast.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan KeyCacheTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>For callers whose key says nothing else; without it there is no such limit.</summary>
    [Range(1, CallerLimits.Most)]
    public int? RequestsPerMinute { get; set; }

    /// <summary>Tokens read and written, for callers whose key says nothing else.</summary>
    [Range(1, CallerLimits.Most)]
    public int? TokensPerMinute { get; set; }

    /// <summary>Requests in flight at once in one process, for callers whose key says nothing else.</summary>
    [Range(1, CallerLimits.Most)]
    public int? MaxConcurrentRequests { get; set; }

    /// <summary>Accepts bearer tokens of this issuer.</summary>
    [ValidateObjectMembers]
    public JwtOptions? Jwt { get; set; }

    public CallerLimits DefaultLimits => new(RequestsPerMinute, TokensPerMinute, MaxConcurrentRequests);
}
