namespace SaferGuard.Api.Access.Idempotency;

/// <summary>
/// Keeps a copy of a response. The client gets it when <see cref="ReleaseAsync"/> is called, when the copy is on disk; of a response that streams, only
/// the end is held back. One that grows beyond the limit goes through and is not kept.
/// </summary>
internal sealed class RecordingStream(Stream client, HttpResponse response, int maxBytes, byte[] streamEnd) : Stream
{
    private readonly MemoryStream _copy = new();
    private int _sent;

    /// <summary>The whole response so far; null when it was too long to keep.</summary>
    public byte[]? Copy => _copy.Length <= maxBytes ? _copy.ToArray() : null;

    /// <summary>Whether a response that streams came to the end that says that it did not fail.</summary>
    public bool HasEnded => _copy.GetBuffer().AsSpan(0, (int)_copy.Length).EndsWith(streamEnd);

    public bool Streams => response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sends what was held back.</summary>
    public async ValueTask ReleaseAsync(CancellationToken cancellation)
    {
        // Nothing is not sent either: it would start a response that others may still have to write.
        if (_sent == (int)_copy.Length) return;
        var held = _copy.GetBuffer().AsMemory(_sent, (int)_copy.Length - _sent);
        _sent = (int)_copy.Length;
        await client.WriteAsync(held, cancellation);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_copy.Length > maxBytes)
        {
            await client.WriteAsync(buffer, cancellationToken);
            return;
        }

        _copy.Write(buffer.Span);
        if (_copy.Length > maxBytes || (Streams && !HasEnded)) await ReleaseAsync(cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => _sent == 0 ? Task.CompletedTask : client.FlushAsync(cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Responses are written asynchronously.");

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
