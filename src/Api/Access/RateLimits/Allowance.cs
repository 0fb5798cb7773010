namespace SaferGuard.Api.Access.RateLimits;

/// <summary>
/// What is left of a quota per minute. The quota refills evenly; all that must be remembered is how long it will take until it is whole again
/// (the generic cell rate algorithm), which is one number and may exceed the minute: debt.
/// </summary>
/// <param name="Quota">Units in a minute, which may also be used at once.</param>
/// <param name="Refill">How long until the quota is whole.</param>
internal readonly record struct Allowance(int Quota, TimeSpan Refill)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Units that may be used now.</summary>
    public int Remaining => Refill >= Window ? 0 : (int)((Window - Refill).Ticks * Quota / Window.Ticks);

    /// <summary>Whether one unit may be used now.</summary>
    public bool Allows => Wait <= TimeSpan.Zero;

    /// <summary>How long until one unit may be used; zero or less when it may be now.</summary>
    public TimeSpan Wait => Refill + Time(1) - Window;

    /// <summary>Uses units whether they are left or not.</summary>
    public Allowance Spend(int units) => this with { Refill = Refill + Time(units) };

    private TimeSpan Time(int units) => TimeSpan.FromTicks(Window.Ticks * units / Quota);
}

/// <summary>What is left of both quotas of a caller; null for one that the caller does not have.</summary>
internal readonly record struct Allowances(Allowance? Requests, Allowance? Tokens)
{
    /// <summary>Whether a request may be taken: one fits into the quota of requests, and tokens are left.</summary>
    public bool Allow => Wait <= TimeSpan.Zero;

    /// <summary>How long until a request may be taken.</summary>
    public TimeSpan Wait => TimeSpan.FromTicks(Math.Max(Requests?.Wait.Ticks ?? 0, Tokens?.Wait.Ticks ?? 0));

    public static Allowances Of(CallerLimits limits, TimeSpan requestRefill, TimeSpan tokenRefill) => new(
        limits.RequestsPerMinute is { } requests ? new(requests, Positive(requestRefill)) : null,
        limits.TokensPerMinute is { } tokens ? new(tokens, Positive(tokenRefill)) : null);

    public Allowances Spend(int requests, int tokens) => new(Requests?.Spend(requests), Tokens?.Spend(tokens));

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
}
