using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SaferGuard.Client.Chat;

namespace SaferGuard.Client;

/// <summary>Puts SaferGuard into applications.</summary>
public static class SaferGuardServices
{
    /// <summary>Adds a client of the service at an address.</summary>
    public static IServiceCollection AddSaferGuard(this IServiceCollection services, Uri address, SaferGuardClientOptions? options = null)
    {
        services.TryAddSingleton<ISaferGuardClient>(_ => new SaferGuardClient(address, options));
        return services;
    }

    /// <summary>
    /// Has every conversation judged before the inner client is asked. Called after <c>UseFunctionInvocation()</c>, it judges the results of tools, too.
    /// </summary>
    /// <param name="guard">The service; without it, the one that was added to the application's services.</param>
    public static ChatClientBuilder UseSaferGuard(this ChatClientBuilder builder, ISaferGuardClient? guard = null, GuardedChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use((inner, services) => new GuardedChatClient(inner, guard ?? services.GetRequiredService<ISaferGuardClient>(), options));
    }
}
