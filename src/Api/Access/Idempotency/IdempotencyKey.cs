using System.Security.Cryptography;
using System.Text;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Access.Idempotency;

/// <summary>Marks an endpoint whose requests may be sent again under an <c>Idempotency-Key</c>.</summary>
internal sealed class AcceptsIdempotencyKey;

internal static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";
    public const int MaxLength = 255;

    /// <summary>A request that is sent again with the same <c>Idempotency-Key</c> gets the reply of the first.</summary>
    public static TBuilder AcceptsIdempotencyKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.WithMetadata(new AcceptsIdempotencyKey());
        int[] statuses = [StatusCodes.Status409Conflict, StatusCodes.Status422UnprocessableEntity];
        foreach (var status in statuses) endpoint.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(Problem), [Problem.ContentType]));
        return endpoint;
    }

    /// <summary>SHA-256 of the key of a request; null when it has none.</summary>
    /// <exception cref="ProblemException">There is more than one, or it is not a key.</exception>
    public static byte[]? Of(HttpRequest request)
    {
        var header = request.Headers[Header];
        if (header.Count == 0) return null;
        var key = header.ToString();
        return header.Count == 1 && key.Length is > 0 and <= MaxLength && key.All(c => c is >= ' ' and <= '~')
            ? SHA256.HashData(Encoding.ASCII.GetBytes(key))
            : throw new ProblemException(
                Errors.InvalidRequest, "Send one random Idempotency-Key, such as a UUID. Nothing was judged.",
                new FieldError(Header, $"must be 1 to {MaxLength} visible ASCII characters, once"));
    }
}
