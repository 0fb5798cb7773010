using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Augmentation;

/// <summary>
/// Joins rows into longer texts and conversations: a harmful request hides before, after or several turns above harmless ones. Every shape is
/// also made of harmless parts only.
/// </summary>
internal sealed class Splices
{
    private readonly string[] _replies;
    private readonly string[] _followUps;
    private readonly string[] _bridges;

    public Splices()
    {
        var file = EmbeddedFile.ReadYaml<DialogueFile>("dialogues.yaml");
        _replies = file.Replies.Split(" | ");
        _followUps = file.FollowUps.Split(" | ");
        _bridges = file.Bridges.Split(" | ");
    }

    /// <summary>One text of two or three requests, <paramref name="row"/> among them.</summary>
    public Conversation Paragraph(TrainingRow row, BaseRows rows, Draw draw)
    {
        var parts = new List<string> { BaseRows.TextOf(rows.Harmless(draw)) };
        if (draw.Chance(.4)) parts.Add(BaseRows.TextOf(rows.Harmless(draw)));
        parts.Insert(draw.Below(parts.Count + 1), BaseRows.TextOf(row));
        var glue = draw.Chance(.4) ? "\n\n" : draw.Chance(.5) ? $" {draw.Of(_bridges)} " : " ";
        return Conversation.OfPrompt(string.Join(glue, parts));
    }

    /// <summary>Two or three exchanges that end with <paramref name="row"/>, or that return to it with a follow-up that says nothing by itself.</summary>
    public Conversation Dialogue(TrainingRow row, BaseRows rows, Draw draw)
    {
        var request = new Turn(Role.User, BaseRows.TextOf(row));
        List<Turn> turns = draw.Chance(.6)
            ? [new(Role.User, BaseRows.TextOf(rows.Harmless(draw))), new(Role.Assistant, draw.Of(_replies)), request]
            : [request, new(Role.Assistant, draw.Of(_replies)), new(Role.User, draw.Of(_followUps))];
        if (draw.Chance(.3)) turns.InsertRange(0, [new(Role.User, BaseRows.TextOf(rows.Harmless(draw))), new(Role.Assistant, draw.Of(_replies))]);
        return new Conversation(turns);
    }

    private sealed class DialogueFile
    {
        public string Replies { get; init; } = "";

        public string FollowUps { get; init; } = "";

        public string Bridges { get; init; } = "";
    }
}
