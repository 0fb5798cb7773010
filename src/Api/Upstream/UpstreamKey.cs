using System.Net.Http.Headers;

namespace SaferGuard.Api.Upstream;

/// <summary>The key of the upstream: read when it is needed, put into one header, and nowhere else.</summary>
internal static class UpstreamKey
{
    private const int MaxFileBytes = 16 * 1024;

    public static AuthenticationHeaderValue? Header(UpstreamOptions options) => Read(options) is { } key ? new("Bearer", key) : null;

    /// <summary>What is wrong with the key, without the key; null if nothing is.</summary>
    public static string? WhyUnusable(UpstreamOptions options)
    {
        try
        {
            return Read(options) is { } key && (key.Length == 0 || key.Any(c => c is <= ' ' or > '~')) ? "the key must be printable ASCII without spaces." : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return $"ApiKeyFile cannot be read: {fault.Message}";
        }
    }

    private static string? Read(UpstreamOptions options)
    {
        if (options.ApiKeyFile is not { } path) return options.ApiKey;
        return new FileInfo(path).Length <= MaxFileBytes ? File.ReadAllText(path).Trim() : throw new IOException("It is too large to be a key.");
    }
}
