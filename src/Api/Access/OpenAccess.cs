using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using SaferGuard.Api.Access.Keys;

namespace SaferGuard.Api.Access;

/// <summary>The service is open to everybody, and nobody said that it may be.</summary>
internal sealed class UnguardedServiceException(string message) : Exception(message);

/// <summary>Development without keys: who may use a service that cannot tell callers apart. Said loudly at the start.</summary>
internal sealed partial class OpenAccess(AccessOptions options, KeyRing keys, IServer server, ILogger<OpenAccess> logger) : IHostedLifecycleService
{
    /// <summary>Whether requests need no credential. Once a key was created they always do.</summary>
    public async ValueTask<bool> AppliesAsync(CancellationToken cancellation) =>
        options.Jwt is null && options.WithoutKeys != WithoutKeys.Never && await keys.IsEmptyAsync(cancellation);

    /// <summary>
    /// Whether an open service takes this request. The name that was asked for counts too: a page in a browser can have its own name lead to this
    /// machine, and a proxy on this machine can make the service reachable for others.
    /// </summary>
    public bool Admits(HttpContext http) =>
        options.WithoutKeys == WithoutKeys.Anywhere || (IsLoopback(http.Connection.LocalIpAddress) && IsLoopback(http.Request.Host.Host));

    /// <exception cref="UnguardedServiceException">The service listens beyond this machine without keys.</exception>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!await AppliesAsync(cancellationToken)) return;
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var list = string.Join(", ", addresses);
        if (options.WithoutKeys == WithoutKeys.OnLoopback && !addresses.All(IsLoopbackAddress))
        {
            throw new UnguardedServiceException(
                $"It would be open to everybody who can reach {list}: there is no key. Create one with 'keys create', configure Access:Jwt, "
                + "listen on 127.0.0.1 only, or set Access:WithoutKeys to Never (nobody gets in before there is a key) or Anywhere (everybody gets in).");
        }

        LogOpen(logger, list, options.WithoutKeys == WithoutKeys.Anywhere ? "who can reach it" : "on this machine");
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether only this machine can connect to an address of the server.</summary>
    internal static bool IsLoopbackAddress(string address)
    {
        var binding = BindingAddress.Parse(address);
        return binding.IsUnixPipe || binding.IsNamedPipe || IsLoopback(binding.Host);
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var ip) && IsLoopback(ip));

    /// <param name="ip">Null for a connection that is not of the network.</param>
    private static bool IsLoopback(IPAddress? ip) => ip is null || IPAddress.IsLoopback(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip);

    [LoggerMessage(5, LogLevel.Warning, "DEVELOPMENT MODE: there are NO KEYS. Everybody {Who} may use {Addresses} without a credential. The first 'keys create' ends this.")]
    private static partial void LogOpen(ILogger logger, string addresses, string who);
}
