using Microsoft.Net.Http.Headers;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies;

/// <summary>Policy files in requests and responses.</summary>
internal static class PolicyContent
{
    public const string Yaml = "application/yaml";
    public const string Json = "application/json";

    private static readonly string[] s_accepted = [Yaml, Json, "application/x-yaml", "text/yaml", "text/x-yaml"];

    public static string TypeOf(ReadOnlySpan<byte> file) => file.TrimStart(" \t\r\n"u8).StartsWith("{"u8) ? Json : Yaml;

    /// <summary>The body of a request; never more of it than a policy file may have.</summary>
    public static async Task<byte[]> ReadAsync(HttpContext http)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !s_accepted.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
            || http.Request.Headers.ContentEncoding.Any(encoding => !"identity".Equals(encoding, StringComparison.OrdinalIgnoreCase)))
        {
            throw new ProblemException(Errors.UnsupportedMediaType, $"Send the policy as {Yaml} or {Json} in UTF-8, without Content-Encoding.");
        }

        var buffer = new byte[PolicyReader.MaxFileBytes + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);
        return length <= PolicyReader.MaxFileBytes
            ? buffer[..length]
            : throw new ProblemException(
                Errors.BodyTooLarge, "Send a smaller policy.", new FieldError("body", $"has more than {PolicyReader.MaxFileBytes} bytes"));
    }
}
