using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Configuration;

/// <summary>How the service stops. Section <c>Shutdown</c>.</summary>
internal sealed class ShutdownOptions
{
    /// <summary>
    /// How long the service still takes requests while <c>/readyz</c> already says that it stops, so that a load balancer can look away.
    /// A part of the host's <c>shutdownTimeoutSeconds</c> (30); the rest is for the requests that are then in flight.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Drain { get; set; } = TimeSpan.Zero;
}
