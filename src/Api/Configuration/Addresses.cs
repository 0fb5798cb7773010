using SaferGuard.Api.Grpc;

namespace SaferGuard.Api.Configuration;

/// <summary>Where the service listens: HTTP at <c>urls</c>, gRPC at <c>Grpc:Url</c>, or all of it as <c>Kestrel:Endpoints</c> says.</summary>
internal static class Addresses
{
    private const string DefaultUrl = "http://127.0.0.1:8080";
    private const string Endpoints = "Kestrel:Endpoints";

    /// <summary>
    /// Writes the addresses as endpoints of Kestrel's own configuration, the only place where one of them can be given a protocol. Whoever has
    /// written endpoints there, with certificates for example, has said all of it.
    /// </summary>
    public static void AddAddresses(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (configuration.GetSection(Endpoints).Exists()) return;

        var endpoints = new Dictionary<string, string?>();
        foreach (var url in Urls(configuration)) endpoints[$"{Endpoints}:Http{endpoints.Count}:Url"] = url;
        if ((configuration[$"{GrpcOptions.Section}:{nameof(GrpcOptions.Url)}"] ?? new GrpcOptions().Url) is { Length: > 0 } grpc)
        {
            endpoints[$"{Endpoints}:Rpc:Url"] = grpc;
            endpoints[$"{Endpoints}:Rpc:Protocols"] = "Http2";
        }

        // No address, and not empty either: else the host would fall back to what it was started with, and Kestrel warn that it listens elsewhere.
        endpoints["urls"] = ";";
        configuration.AddInMemoryCollection(endpoints);
    }

    private static string[] Urls(ConfigurationManager configuration)
    {
        if (Split("urls") is { Length: > 0 } urls) return urls;
        string[] ports = [.. Split("http_ports").Select(port => $"http://*:{port}"), .. Split("https_ports").Select(port => $"https://*:{port}")];
        return ports.Length > 0 ? ports : [DefaultUrl];

        string[] Split(string key) => (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
