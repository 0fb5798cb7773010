using System.Buffers;
using System.Text.Json;
using SaferGuard.Api.Completions;

namespace SaferGuard.Api.Traces;

/// <summary>One page of stored judgments.</summary>
/// <param name="Object">Always <c>list</c>.</param>
/// <param name="Data">Each, byte for byte, as it was returned when it was made.</param>
/// <param name="NextPageToken">Null on the last page.</param>
internal sealed record TraceListBody(string Object, IReadOnlyList<JudgmentBody> Data, string? NextPageToken)
{
    public static byte[] Write(TracePage page)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (var judgment in page.Judgments) json.WriteRawValue(judgment.Body, skipInputValidation: true);
            json.WriteEndArray();
            json.WriteString("next_page_token", page.Next);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
