using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Traces;

namespace SaferGuard.Api.Tests.Access;

public sealed class OpenAccessTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task Without_keys_this_machine_gets_in_and_the_log_says_so_loudly()
    {
        Assert.Equal(200, (await service.AskAsync(null)).Status);
        // What clients of OpenAI send when nobody gave them a key.
        Assert.Equal(200, (await service.AskAsync("unused")).Status);
        Assert.Contains(service.Log, line => line.StartsWith("Warning: DEVELOPMENT MODE", StringComparison.Ordinal)
            && line.Contains("NO KEYS", StringComparison.Ordinal) && line.Contains("http://127.0.0.1:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("192.168.1.7")]
    public async Task A_name_that_was_made_to_lead_here_does_not_get_in(string host)
    {
        var reply = await service.AskAsync(null, ("Host", host));

        Assert.Equal((401, "unauthenticated"), (reply.Status, reply.Kind()));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:8080")]
    [InlineData("[::1]:8080")]
    public async Task This_machine_has_several_names(string host) => Assert.Equal(200, (await service.AskAsync(null, ("Host", host))).Status);

    [Fact]
    public async Task The_first_key_closes_theclosing_and_the_revocation_of_the_last_does_not_open_it()
    {
        await using var closing = new Service { Settings = { ["Access:KeyCacheTime"] = "00:00:00" } };
        await closing.InitializeAsync();
        Assert.False(await StartsAsync(closing, WithoutKeys.OnLoopback, "http://0.0.0.0:8080"));

        var key = await closing.CreateKeyAsync(Scope.Assess);
        Assert.True(await StartsAsync(closing, WithoutKeys.OnLoopback, "http://0.0.0.0:8080"));
        Assert.Equal(401, (await closing.AskAsync(null)).Status);
        Assert.Equal(200, (await closing.AskAsync(key.Text)).Status);

        await closing.Services.GetRequiredService<KeyBook>().RevokeAsync(key.Id, TestContext.Current.CancellationToken);

        Assert.Equal(401, (await closing.AskAsync(key.Text)).Status);
        Assert.Equal(401, (await closing.AskAsync(null)).Status);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://127.3.2.1:8080", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("https://[::1]:8443", true)]
    [InlineData("http://unix:/run/saferguard.sock", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://+:8080", false)]
    [InlineData("http://*:8080", false)]
    [InlineData("http://10.0.0.7:8080", false)]
    [InlineData("http://guard.example:8080", false)]
    public async Task Only_an_address_of_this_machine_may_be_open(string address, bool isOfThisMachine)
    {
        Assert.Equal(isOfThisMachine, OpenAccess.IsLoopbackAddress(address));
        Assert.Equal(isOfThisMachine, await StartsAsync(service, WithoutKeys.OnLoopback, "http://127.0.0.1:1", address));
    }

    [Fact]
    public async Task A_service_without_keys_starts_anywhere_when_it_is_told_to_or_lets_nobody_in()
    {
        Assert.True(await StartsAsync(service, WithoutKeys.Anywhere, "http://0.0.0.0:8080"));
        Assert.True(await StartsAsync(service, WithoutKeys.Never, "http://0.0.0.0:8080"));
    }

    private static async Task<bool> StartsAsync(Service service, WithoutKeys mode, params string[] addresses)
    {
        var options = new AccessOptions { WithoutKeys = mode };
        var keys = new KeyRing(service.Services.GetRequiredService<IDbContextFactory<TraceStore>>(), options, new FailureOptions(), TimeProvider.System);
        using var server = new Listening(addresses);
        try
        {
            await new OpenAccess(options, keys, server, NullLogger<OpenAccess>.Instance).StartedAsync(TestContext.Current.CancellationToken);
            return true;
        }
        catch (UnguardedServiceException unguarded)
        {
            Assert.All(addresses, address => Assert.Contains(address, unguarded.Message));
            return false;
        }
    }

    /// <summary>A server that says where it listens.</summary>
    private sealed class Listening : IServer, IServerAddressesFeature
    {
        public Listening(string[] addresses)
        {
            Addresses = addresses;
            Features.Set<IServerAddressesFeature>(this);
        }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public ICollection<string> Addresses { get; }

        public bool PreferHostingUrls { get; set; }

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
