using CsCheck;
using Microsoft.Extensions.Time.Testing;
using SaferGuard.Api.Access.RateLimits;

namespace SaferGuard.Api.Tests.Access.RateLimits;

public sealed class AllowanceTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task A_quota_may_be_used_at_once_and_refills_evenly()
    {
        var limiter = new LocalRateLimiter(_clock);
        for (var used = 1; used <= 60; used++)
        {
            var admission = await limiter.AdmitAsync("a", new(60, null, null));
            Assert.Equal((true, 60 - used, used), (admission.Admitted, admission.Left.Requests!.Value.Remaining, RateLimitFields.Seconds(admission.Left.Requests.Value.Refill)));
        }

        Assert.False((await limiter.AdmitAsync("a", new(60, null, null))).Admitted);
        Assert.True((await limiter.AdmitAsync("b", new(60, null, null))).Admitted);
        _clock.Advance(TimeSpan.FromSeconds(3));
        bool[] admitted = [await AdmitAsync(), await AdmitAsync(), await AdmitAsync(), await AdmitAsync()];
        Assert.Equal([true, true, true, false], admitted);

        async Task<bool> AdmitAsync() => (await limiter.AdmitAsync("a", new(60, null, null))).Admitted;
    }

    [Fact]
    public async Task Tokens_go_into_debt_which_is_waited_for()
    {
        var limiter = new LocalRateLimiter(_clock);
        var limits = new CallerLimits(null, 600, null);
        Assert.True((await limiter.AdmitAsync("a", limits)).Admitted);

        var left = await limiter.ChargeAsync("a", limits, 700);

        Assert.Equal(0, left.Tokens!.Value.Remaining);
        // 100 tokens of debt and one to have, at ten a second.
        Assert.Equal(TimeSpan.FromSeconds(10.1), left.Wait);
        Assert.False((await limiter.AdmitAsync("a", limits)).Admitted);
        _clock.Advance(left.Wait);
        Assert.True((await limiter.AdmitAsync("a", limits)).Admitted);
    }

    [Fact]
    public async Task A_refused_request_costs_nothing()
    {
        var limiter = new LocalRateLimiter(_clock);
        var limits = new CallerLimits(10, 10, null);
        await limiter.ChargeAsync("a", limits, 10);

        var refused = await limiter.AdmitAsync("a", limits);

        Assert.False(refused.Admitted);
        Assert.Equal(10, refused.Left.Requests!.Value.Remaining);
    }

    /// <summary>Whatever callers do, no minute has more than twice the quota (all at its start, and what refilled), and who waits as told gets in.</summary>
    [Fact]
    public Task Nobody_gets_more_than_the_quota_and_its_refill() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Int[0, 2000].Array[1, 200]).SampleAsync(async (quota, pauses) =>
        {
            var clock = new FakeTimeProvider();
            var limiter = new LocalRateLimiter(clock);
            var limits = new CallerLimits(quota, null, null);
            var (admitted, elapsed) = (0, TimeSpan.Zero);
            foreach (var pause in pauses)
            {
                for (var burst = 0; burst < 1 + (pause % 50); burst++)
                {
                    var admission = await limiter.AdmitAsync("a", limits);
                    if (admission.Admitted) admitted++;
                    else if (admission.Left.Wait <= TimeSpan.Zero || admission.Left.Wait > Allowance.Window) return false;
                }

                if (admitted > quota + (elapsed * quota / Allowance.Window) + 1) return false;
                elapsed += TimeSpan.FromMilliseconds(pause);
                clock.Advance(TimeSpan.FromMilliseconds(pause));
            }

            return true;
        });

    [Fact]
    public async Task Concurrent_requests_get_exactly_the_quota()
    {
        var limiter = new LocalRateLimiter(_clock);

        var admissions = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () => (await limiter.AdmitAsync("a", new(37, null, null))).Admitted)));

        Assert.Equal(37, admissions.Count(admitted => admitted));
    }

    [Fact]
    public async Task Callers_whose_quota_is_whole_are_forgotten()
    {
        var limiter = new LocalRateLimiter(_clock);
        for (var caller = 0; caller < 1000; caller++) await limiter.AdmitAsync($"{caller}", new(10, 10, null));
        Assert.Equal(1000, limiter.Count);

        _clock.Advance(Allowance.Window);
        await limiter.ChargeAsync("new", new(10, 10, null), 1);

        Assert.Equal(1, limiter.Count);
    }
}
