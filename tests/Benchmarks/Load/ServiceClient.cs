using System.Net.Http.Json;
using System.Text.Json;

namespace SaferGuard.Benchmarks.Load;

/// <summary>Asks a running service for assessments.</summary>
internal sealed class ServiceClient : IDisposable
{
    private readonly HttpClient _client;

    public ServiceClient(Uri url) => _client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1024 })
    {
        BaseAddress = url,
        Timeout = TimeSpan.FromMinutes(5),
    };

    /// <returns>Milliseconds that the request spent in the engine.</returns>
    /// <exception cref="HttpRequestException">The service did not give an assessment.</exception>
    public async Task<double> AssessAsync(string prompt, string trace)
    {
        using var response = await _client.PostAsJsonAsync("/v1/assess", new { input = prompt, trace });
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        var timings = body.GetProperty("timings");
        return Of("queue_ms") + Of("prefill_ms") + Of("decode_ms");

        double Of(string name) => timings.GetProperty(name).GetDouble();
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellation)
    {
        try
        {
            using var response = await _client.GetAsync("/readyz", cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async Task WaitUntilReadyAsync(TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        while (!await IsReadyAsync(deadline.Token)) await Task.Delay(100, deadline.Token);
    }

    public void Dispose() => _client.Dispose();
}
