using System.Globalization;

namespace SaferGuard.Api.Access.RateLimits;

/// <summary>The fields of draft-ietf-httpapi-ratelimit-headers: what a caller's quotas are, and what is left of them.</summary>
internal static class RateLimitFields
{
    public const string Policy = "RateLimit-Policy";
    public const string Left = "RateLimit";

    public static void Write(IHeaderDictionary headers, Allowances left)
    {
        headers[Policy] = Join(
            left.Requests is { } requests ? Text($"\"requests\";q={requests.Quota};w={Seconds(Allowance.Window)}") : null,
            left.Tokens is { } tokens ? Text($"\"tokens\";q={tokens.Quota};w={Seconds(Allowance.Window)};qu=\"tokens\"") : null);
        headers[Left] = Join(Item("requests", left.Requests), Item("tokens", left.Tokens));
    }

    /// <summary>Rounded up, so that who waits that long does not come too early.</summary>
    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    private static string? Item(string name, Allowance? left) =>
        left is { } allowance ? Text($"\"{name}\";r={allowance.Remaining};t={Seconds(allowance.Refill)}") : null;

    private static string Join(params string?[] items) => string.Join(", ", items.Where(item => item is not null));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
