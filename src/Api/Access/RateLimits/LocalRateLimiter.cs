namespace SaferGuard.Api.Access.RateLimits;

/// <summary>Counts in this process. Holds only callers whose quotas are not whole.</summary>
internal sealed class LocalRateLimiter(TimeProvider clock) : IRateLimiter
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WholeAt> _callers = [];
    private readonly long _start = clock.GetTimestamp();
    private TimeSpan _nextSweep = Allowance.Window;

    /// <summary>Callers that are held.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _callers.Count;
        }
    }

    public ValueTask<Admission> AdmitAsync(string caller, CallerLimits limits) => new(Spend(caller, limits, 1, 0, isForced: false));

    public ValueTask<Allowances> ChargeAsync(string caller, CallerLimits limits, int tokens) => new(Spend(caller, limits, 0, tokens, isForced: true).Left);

    /// <summary>Counts what was decided elsewhere.</summary>
    public void Record(string caller, CallerLimits limits, int requests, int tokens) => Spend(caller, limits, requests, tokens, isForced: true);

    private Admission Spend(string caller, CallerLimits limits, int requests, int tokens, bool isForced)
    {
        lock (_lock)
        {
            var now = clock.GetElapsedTime(_start);
            Sweep(now);
            var whole = _callers.GetValueOrDefault(caller);
            var before = Allowances.Of(limits, whole.Requests - now, whole.Tokens - now);
            if (!isForced && !before.Allow) return new(false, before);
            var after = before.Spend(requests, tokens);
            _callers[caller] = new(now + (after.Requests?.Refill ?? default), now + (after.Tokens?.Refill ?? default));
            return new(true, after);
        }
    }

    /// <summary>Forgets, once a minute, whose quotas are whole again: they are as if never seen.</summary>
    private void Sweep(TimeSpan now)
    {
        if (now < _nextSweep) return;
        _nextSweep = now + Allowance.Window;
        foreach (var (caller, whole) in _callers)
        {
            if (whole.Requests <= now && whole.Tokens <= now) _callers.Remove(caller);
        }
    }

    /// <summary>When each quota of a caller is whole again, counted from the start.</summary>
    private readonly record struct WholeAt(TimeSpan Requests, TimeSpan Tokens);
}
