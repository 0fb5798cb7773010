using System.ComponentModel.DataAnnotations;
using StackExchange.Redis;

namespace SaferGuard.Api.Access.RateLimits;

/// <summary>Where replicas of the service count together. Section <c>Redis</c>.</summary>
internal sealed class RedisOptions : IValidatableObject
{
    /// <summary>For example <c>redis:6379,password=…,ssl=true</c>. Without it, every process counts for itself.</summary>
    public string? Connection { get; set; }

    /// <summary>How long a request waits for Redis before it is counted in this process alone.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:05")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(250);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Connection is not null && Configuration() is null)
            yield return new("Connection must be addresses and options of StackExchange.Redis, such as 'redis:6379,password=…'.", [nameof(Connection)]);
    }

    /// <summary>Null when <see cref="Connection"/> cannot be read.</summary>
    public ConfigurationOptions? Configuration()
    {
        try
        {
            var configuration = ConfigurationOptions.Parse(Connection!);
            if (configuration.EndPoints.Count == 0) return null;
            // A request never waits for a connection that is not there; it comes back by itself.
            configuration.AbortOnConnectFail = false;
            configuration.BacklogPolicy = BacklogPolicy.FailFast;
            configuration.ConnectTimeout = 2000;
            configuration.AsyncTimeout = (int)Timeout.TotalMilliseconds;
            return configuration;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
