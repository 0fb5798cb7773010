using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Keys;

namespace SaferGuard.Api.Tests.Access;

/// <summary>A service that demands keys and looks each of them up anew.</summary>
public sealed class GuardedService : IAsyncLifetime
{
    internal Service Service { get; } = new() { Settings = { ["Access:WithoutKeys"] = "Never", ["Access:KeyCacheTime"] = "00:00:00" } };

    public ValueTask InitializeAsync() => Service.InitializeAsync();

    public ValueTask DisposeAsync() => Service.DisposeAsync();
}

/// <summary>Tests that share one such service. Each makes its own keys.</summary>
[CollectionDefinition]
public sealed class GuardedServiceTests : ICollectionFixture<GuardedService>;

internal static class KeyedRequests
{
    public static Task<ApiKey> CreateKeyAsync(this Service service, Scope scopes, string tenant = "acme") => service.CreateKeyAsync(new KeyGrant(tenant, scopes));

    public static Task<ApiKey> CreateKeyAsync(this Service service, KeyGrant grant) => service.Services.GetRequiredService<KeyBook>().CreateAsync(grant);

    /// <param name="credential">Sent as a bearer token.</param>
    public static async Task<Reply> SendAsync(
        this Service service, HttpMethod method, string path, string? credential, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        if (credential is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Reply.OfAsync(response);
    }

    public static Task<Reply> AskAsync(this Service service, string? credential, params (string Name, string Value)[] headers) =>
        service.SendAsync(HttpMethod.Post, "/v1/assess", credential, Prompts.Assess(Prompts.Harmless, "brief"), headers);

    public static string Kind(this Reply reply) => reply.Json.GetProperty("type").GetString()!["urn:saferguard:problem:".Length..];
}
