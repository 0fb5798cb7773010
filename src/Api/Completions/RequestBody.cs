using System.Buffers;
using Microsoft.Net.Http.Headers;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Completions;

internal static class RequestBody
{
    /// <summary>Reads a whole JSON body and parses it where it lies in the connection's buffers.</summary>
    public static async Task<T> ReadAsync<T>(HttpContext http, Func<ReadOnlySequence<byte>, LimitOptions, T> parse)
    {
        if (!IsJson(http.Request)) throw Errors.OfStatus(StatusCodes.Status415UnsupportedMediaType)!;
        var limits = http.RequestServices.GetRequiredService<LimitOptions>();
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (read.IsCompleted)
            {
                try
                {
                    return parse(read.Buffer, limits);
                }
                finally
                {
                    reader.AdvanceTo(read.Buffer.End);
                }
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static bool IsJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        && request.Headers.ContentEncoding.All(encoding => "identity".Equals(encoding, StringComparison.OrdinalIgnoreCase));
}
