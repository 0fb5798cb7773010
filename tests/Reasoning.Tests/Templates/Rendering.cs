using System.Text.Json;
using SaferGuard.Reasoning.Templates.Jinja;

namespace SaferGuard.Reasoning.Tests.Templates;

/// <summary>Renders templates with variables given as JSON, whose strings count as foreign, roles excepted.</summary>
internal static class Rendering
{
    /// <summary>7 March 2025, 13:04:05.</summary>
    public static TimeProvider Time { get; } = new FixedTime();

    public static string Render(string template, string variables = "{}") => RenderText(template, variables).Characters;

    public static Text RenderText(string template, string variables = "{}")
    {
        using var document = JsonDocument.Parse(variables);
        return RenderText(template, document.RootElement);
    }

    public static Text RenderText(string template, JsonElement variables) => JinjaTemplate.Parse(template).Render(
        variables.EnumerateObject().Select(v => KeyValuePair.Create(v.Name, ToValue(v.Value))), Time, Budget.For(variables.GetRawText().Length));

    private static Value ToValue(JsonElement json, string name = "") => json.ValueKind switch
    {
        JsonValueKind.Null => None.Value,
        JsonValueKind.True => Value.Of(true),
        JsonValueKind.False => Value.Of(false),
        JsonValueKind.Number => json.TryGetInt64(out var integer) ? Value.Of(integer) : new Real(json.GetDouble()),
        JsonValueKind.String => name.EndsWith("_token", StringComparison.Ordinal) || name == "role"
            ? Text.OfTemplate(json.GetString()!)
            : Text.OfConversation(json.GetString()!),
        JsonValueKind.Array => new Sequence([.. json.EnumerateArray().Select(e => ToValue(e))]),
        _ => new Mapping(json.EnumerateObject().Select(p => KeyValuePair.Create<Value, Value>(Value.Of(p.Name), ToValue(p.Value, p.Name)))),
    };

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2025, 3, 7, 13, 4, 5, TimeSpan.Zero);
    }
}
