using System.Text;
using Microsoft.AspNetCore.Http;
using SaferGuard.Api.Access.Idempotency;

namespace SaferGuard.Api.Tests.Access.Idempotency;

public sealed class RecordingStreamTests : IDisposable
{
    private readonly MemoryStream _client = new();
    private readonly HttpResponse _response = new DefaultHttpContext().Response;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_response_is_held_back_until_it_is_released()
    {
        await using var recording = Recording("application/json");

        await WriteAsync(recording, "Hello ", "world");
        Assert.Equal("", Received());
        Assert.Equal("Hello world", Encoding.ASCII.GetString(recording.Copy!));
        await recording.ReleaseAsync(Cancellation);

        Assert.Equal("Hello world", Received());
    }

    [Fact]
    public async Task A_stream_is_passed_on_except_for_its_end()
    {
        await using var recording = Recording("text/event-stream");

        await WriteAsync(recording, "data: 1\n\n");
        Assert.Equal(("data: 1\n\n", false), (Received(), recording.HasEnded));
        await WriteAsync(recording, "data: 2\n\ndata: [END]\n\n");
        Assert.Equal(("data: 1\n\n", true), (Received(), recording.HasEnded));
        await recording.ReleaseAsync(Cancellation);

        Assert.Equal("data: 1\n\ndata: 2\n\ndata: [END]\n\n", Received());
    }

    [Fact]
    public async Task A_response_that_is_too_long_goes_through_and_is_not_kept()
    {
        await using var recording = Recording("application/json");

        await WriteAsync(recording, new string('a', 60), new string('b', 60), new string('c', 60));

        Assert.Equal(180, _client.Length);
        Assert.Null(recording.Copy);
        await recording.ReleaseAsync(Cancellation);
        Assert.Equal(new string('a', 60) + new string('b', 60) + new string('c', 60), Received());
    }

    private RecordingStream Recording(string contentType)
    {
        _response.ContentType = contentType;
        return new(_client, _response, maxBytes: 100, "data: [END]\n\n"u8.ToArray());
    }

    private static async Task WriteAsync(RecordingStream recording, params string[] texts)
    {
        foreach (var text in texts) await recording.WriteAsync(Encoding.ASCII.GetBytes(text), Cancellation);
    }

    private string Received() => Encoding.ASCII.GetString(_client.ToArray());
}
