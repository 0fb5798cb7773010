using System.Net.Sockets;
using System.Text;

namespace SaferGuard.Api.Tests.Configuration;

public sealed class LimitTests : IAsyncLifetime
{
    private readonly Service _service = new()
    {
        Settings = { ["Limits:MaxHeaderBytes"] = "2048", ["Limits:MaxBodyBytes"] = "1024", ["Limits:HeaderTimeout"] = "00:00:01", ["Limits:MaxConnections"] = "2" },
    };

    public ValueTask InitializeAsync() => _service.InitializeAsync();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_before_it_is_read()
    {
        var reply = await _service.AssessAsync($$"""{"input": "{{new string('x', 1024)}}"}""");

        Assert.Equal((413, "urn:saferguard:problem:body-too-large"), (reply.Status, reply.Json.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task A_header_that_is_too_large_is_refused() =>
        Assert.StartsWith("HTTP/1.1 431 ", await SayAsync($"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 2048)}\r\n\r\n"));

    [Fact]
    public async Task A_header_that_does_not_come_is_not_waited_for() =>
        Assert.StartsWith("HTTP/1.1 408 ", await SayAsync("GET /livez HTTP/1.1\r\nHost: loc"));

    [Fact]
    public async Task A_connection_too_many_is_closed_at_once()
    {
        using var first = await ConnectAsync();
        using var second = await ConnectAsync();
        using var third = await ConnectAsync();

        // The service's own client holds a connection too.
        var read = await third.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().ContinueWith(
            reading => reading.IsCompletedSuccessfully ? reading.Result : 0, TaskScheduler.Default);
        Assert.Equal(0, read);
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(_service.Client.BaseAddress!.Host, _service.Client.BaseAddress.Port, TestContext.Current.CancellationToken);
        return client;
    }

    /// <summary>Everything that the server answers to these bytes until it hangs up.</summary>
    private async Task<string> SayAsync(string text)
    {
        using var client = await ConnectAsync();
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
