using System.Text.Json;

namespace SaferGuard.Client;

/// <summary>Reads what the service says of an error.</summary>
internal static class ProblemReader
{
    public static async Task<SaferGuardException> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        Problem? problem = null;
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                problem = Read(await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false));
            }
            catch (HttpRequestException)
            {
                // The status alone must do.
            }
        }

        return SaferGuardException.Of(response.StatusCode, problem, Retries.RetryAfter(response));
    }

    /// <summary>Null when this is none.</summary>
    public static Problem? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ProblemJson.Default.Problem);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
