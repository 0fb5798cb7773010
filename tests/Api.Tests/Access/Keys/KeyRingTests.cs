using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests.Access.Keys;

[Collection<GuardedServiceTests>]
public sealed class KeyRingTests
{
    private static readonly TimeSpan s_cacheTime = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly KeyBook _book;
    private readonly KeyRing _ring;

    public KeyRingTests(GuardedService guarded)
    {
        var stores = guarded.Service.Services.GetRequiredService<IDbContextFactory<TraceStore>>();
        _book = new(stores, _clock);
        _ring = new(stores, new AccessOptions { KeyCacheTime = s_cacheTime, RequestsPerMinute = 7, TokensPerMinute = 70 }, new FailureOptions(), _clock);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_stands_for_what_it_was_given()
    {
        var key = await _book.CreateAsync(new("acme", Scope.Assess | Scope.TracesRead) { Policy = "strict", Limits = new(3, null, 2) }, Cancellation);

        Assert.Equal(
            new Caller($"key_{key.Id}", "acme", "strict", Scope.Assess | Scope.TracesRead, new CallerLimits(3, 70, 2)),
            await _ring.OpenAsync(key, Cancellation));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_once_the_cache_time_is_over()
    {
        var key = await _book.CreateAsync(new("acme", Scope.Assess), Cancellation);
        await _ring.OpenAsync(key, Cancellation);
        await _book.RevokeAsync(key.Id, Cancellation);

        _clock.Advance(s_cacheTime - TimeSpan.FromMilliseconds(1));
        await _ring.OpenAsync(key, Cancellation);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal("This key was revoked.", (await Assert.ThrowsAsync<ProblemException>(OpenAsync)).Message);

        async Task OpenAsync() => await _ring.OpenAsync(key, Cancellation);
    }

    [Fact]
    public async Task A_key_ends_in_the_second_in_which_it_expires_also_while_it_is_cached()
    {
        var end = DateTimeOffset.FromUnixTimeSeconds(_clock.GetUtcNow().ToUnixTimeSeconds() + 3);
        var key = await _book.CreateAsync(new("acme", Scope.Assess) { Expires = end }, Cancellation);
        await _ring.OpenAsync(key, Cancellation);

        _clock.SetUtcNow(end.AddMilliseconds(-1));
        await _ring.OpenAsync(key, Cancellation);
        _clock.SetUtcNow(end);

        Assert.Equal("This key has expired.", (await Assert.ThrowsAsync<ProblemException>(OpenAsync)).Message);

        async Task OpenAsync() => await _ring.OpenAsync(key, Cancellation);
    }

    [Fact]
    public async Task A_secret_that_is_wrong_is_refused_as_a_key_that_does_not_exist_is()
    {
        var key = await _book.CreateAsync(new("acme", Scope.Assess), Cancellation);
        var wrongSecret = ApiKey.TryParse(key.Text[..16] + ApiKey.Create().Text[16..])!;

        var messages = await Task.WhenAll(new[] { wrongSecret, ApiKey.Create() }.Select(async presented =>
            (await Assert.ThrowsAsync<ProblemException>(async () => await _ring.OpenAsync(presented, Cancellation))).Message));

        Assert.Equal(key.Id, wrongSecret.Id);
        Assert.Equal(["This key is not known.", "This key is not known."], messages);
    }
}
