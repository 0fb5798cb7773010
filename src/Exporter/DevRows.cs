using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter;

/// <summary>Reads the conversations of dev rows: JSON lines with a <c>prompt</c> or a <c>conversation</c>; rows of other splits are left out.</summary>
internal static class DevRows
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <exception cref="InvalidDataException">A line is not such a row, or there is none; the message names the line.</exception>
    public static IReadOnlyList<Conversation> Read(string path)
    {
        var conversations = new List<Conversation>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            try
            {
                var row = JsonSerializer.Deserialize<Row>(line, Json) ?? throw new InvalidDataException("the row is null");
                if (row.Split is not (null or "dev")) continue;
                conversations.Add(row switch
                {
                    { Prompt: { } prompt } => Conversation.OfPrompt(prompt),
                    { Conversation: { Turns.Count: > 0 } conversation } when conversation.Turns.All(t => t?.Content is not null) => conversation,
                    _ => throw new InvalidDataException("a 'prompt' or a 'conversation' is needed"),
                });
            }
            catch (Exception e) when (e is JsonException or InvalidDataException)
            {
                throw new InvalidDataException($"{path}, line {number}: {e.Message}", e);
            }
        }

        return conversations.Count > 0 ? conversations : throw new InvalidDataException($"{path} has no dev rows.");
    }

    private sealed record Row(string? Split, string? Prompt, Conversation? Conversation);
}
