namespace SaferGuard.Api.Grpc;

/// <summary>Where gRPC is served without TLS. Section <c>Grpc</c>.</summary>
internal sealed class GrpcOptions
{
    public const string Section = "Grpc";

    /// <summary>
    /// An address of its own, since HTTP/2 without TLS cannot share one with HTTP/1.1. Empty: none; gRPC is then reached where there is TLS.
    /// </summary>
    public string Url { get; set; } = "http://127.0.0.1:8081";

    public IEnumerable<string> Errors()
    {
        if (Url.Length == 0) yield break;
        if (!Url.Contains("://", StringComparison.Ordinal) || Url.Contains(';', StringComparison.Ordinal))
            yield return "Url must be one address like http://127.0.0.1:8081, or empty.";
    }
}
