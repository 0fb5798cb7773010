namespace SaferGuard.Client;

/// <summary>How to reach a service, and how patiently.</summary>
public sealed record SaferGuardClientOptions
{
    /// <summary>A key of the service; null where it asks for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How often a request is tried again when the service is busy or cannot be reached; 0 for never.</summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>The longest pause before a retry. A service that asks for a longer one is not tried again.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one try may take until it is answered; until the first update of a stream.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);
}
