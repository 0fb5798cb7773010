using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>
/// Reads JSON lines to evaluate on: rows of <c>synthesize</c> (<see cref="TrainingRow"/>), or anyone's own set, of which a line needs only
/// <c>{"prompt": "…", "label": "harmful"}</c>. Instead of <c>prompt</c> there may be <c>messages</c> (<c>[{"role", "content"}]</c>); labels are
/// <c>benign</c>, <c>borderline-safe</c> and <c>harmful</c>; optional are <c>id</c>, <c>source</c>, <c>split</c>, <c>weight</c>,
/// <c>categories</c>, <c>subject</c> (<c>prompt</c> or <c>response</c>), <c>lang</c>, <c>topic</c> and <c>attack</c>. Other fields are ignored.
/// </summary>
public static class LabelledRowReader
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <exception cref="InvalidDataException">Lines are not such rows; the message names the file and every such line.</exception>
    public static IReadOnlyList<LabelledRow> Read(string path)
    {
        var rows = new List<LabelledRow>();
        var errors = new RowErrors(path);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            try
            {
                rows.Add(Parse(line, Path.GetFileNameWithoutExtension(path), number));
            }
            catch (Exception e) when (e is JsonException or FormatException)
            {
                errors.Add(number, e.Message);
            }
        }

        errors.ThrowIfAny();
        return rows;
    }

    private static LabelledRow Parse(string json, string file, int number)
    {
        var line = JsonSerializer.Deserialize<Line>(json, Json) ?? throw new FormatException("the row is null.");
        return new LabelledRow(
            line.Id ?? $"{file}:{number}",
            line.Source ?? file,
            line.Split,
            LabelOf(line.Label),
            line.Weight is not < 0 ? line.Weight ?? 1 : throw new FormatException("'weight' must not be negative."),
            ConversationOf(line),
            (line.Trace?.Assessment?.Categories ?? line.Categories)?.Where(c => c != Policy.NoCategory).ToArray())
        {
            Lang = line.Lang,
            Topic = line.Topic,
            Attack = line.Attack,
            Violated = line.Trace?.RuleChecks?.Where(c => c.Verdict == Verdict.Violated).Select(c => c.Rule).ToArray(),
        };
    }

    private static Label LabelOf(string? label) => label switch
    {
        "benign" => Label.Benign,
        "borderline-safe" => Label.BorderlineSafe,
        "harmful" => Label.Harmful,
        null => throw new FormatException("'label' is missing."),
        _ => throw new FormatException("'label' must be benign, borderline-safe or harmful."),
    };

    private static Conversation ConversationOf(Line line)
    {
        var turns = (line.Conversation?.Turns, line.Messages, line.Prompt) switch
        {
            ({ Count: > 0 } given, null, null) => given,
            (null, { Count: > 0 } given, null) => given,
            (null, null, { } prompt) => [new Turn(Role.User, prompt)],
            _ => throw new FormatException("one of 'prompt', 'messages' and 'conversation' is needed."),
        };
        return turns.All(t => t?.Content is not null)
            ? new Conversation(turns, line.Conversation?.Subject ?? line.Subject ?? Subject.Prompt)
            : throw new FormatException("every message needs 'role' and 'content'.");
    }

    private sealed record Line(
        string? Id,
        string? Source,
        string? Split,
        string? Label,
        double? Weight,
        string? Prompt,
        IReadOnlyList<Turn>? Messages,
        Conversation? Conversation,
        Subject? Subject,
        IReadOnlyList<string>? Categories,
        string? Lang,
        string? Topic,
        string? Attack,
        LineTrace? Trace);

    /// <summary>Of the gold trace only categories and verdicts are compared.</summary>
    private sealed record LineTrace(LineAssessment? Assessment, IReadOnlyList<LineCheck>? RuleChecks);

    private sealed record LineAssessment(IReadOnlyList<string>? Categories);

    private sealed record LineCheck(string Rule, Verdict Verdict);
}
