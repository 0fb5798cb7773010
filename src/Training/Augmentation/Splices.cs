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
    private readonly string[] _returns;

    public Splices()
    {
        var file = EmbeddedFile.ReadYaml<DialogueFile>("dialogues.yaml");
        _replies = file.Replies.Split(" | ");
        _followUps = file.FollowUps.Split(" | ");
        _bridges = file.Bridges.Split(" | ");
        _returns = file.Returns.Split(" | ");
    }

    /// <summary>One text of two or three requests, <paramref name="row"/> among them.</summary>
    public Conversation Paragraph(TrainingRow row, ShortRequests requests, Draw draw)
    {
        var parts = new List<string> { ShortRequests.TextOf(requests.Harmless(draw)) };
        if (draw.Chance(.4)) parts.Add(ShortRequests.TextOf(requests.Harmless(draw)));
        parts.Insert(draw.Below(parts.Count + 1), ShortRequests.TextOf(row));
        var glue = draw.Chance(.4) ? "\n\n" : draw.Chance(.5) ? $" {draw.Of(_bridges)} " : " ";
        return Conversation.OfPrompt(string.Join(glue, parts));
    }

    /// <summary>Two or three exchanges that end with <paramref name="row"/>, or that return to it with a follow-up that says nothing by itself.</summary>
    public Conversation Dialogue(TrainingRow row, ShortRequests requests, Draw draw)
    {
        var request = new Turn(Role.User, ShortRequests.TextOf(row));
        List<Turn> turns = draw.Chance(.6)
            ? [new(Role.User, ShortRequests.TextOf(requests.Harmless(draw))), new(Role.Assistant, draw.Of(_replies)), request]
            : [request, new(Role.Assistant, draw.Of(_replies)), new(Role.User, draw.Of(_followUps))];
        if (draw.Chance(.3)) turns.InsertRange(0, [new(Role.User, ShortRequests.TextOf(requests.Harmless(draw))), new(Role.Assistant, draw.Of(_replies))]);
        return new Conversation(turns);
    }

    /// <summary>Starts with <paramref name="row"/>, talks of one or two other things, and comes back to it without saying it again.</summary>
    public Conversation Return(TrainingRow row, ShortRequests requests, Draw draw)
    {
        List<Turn> turns = [new(Role.User, ShortRequests.TextOf(row)), new(Role.Assistant, draw.Of(_replies))];
        for (var others = 1 + draw.Below(2); others > 0; others--)
            turns.AddRange([new(Role.User, ShortRequests.TextOf(requests.Harmless(draw))), new(Role.Assistant, draw.Of(_replies))]);
        return new Conversation([.. turns, new(Role.User, draw.Of(_returns))]);
    }

    /// <summary>A request told in two turns, cut between words, neither of which asks it.</summary>
    public Conversation Pieces(TrainingRow row, Draw draw)
    {
        var words = ShortRequests.TextOf(row).Split(' ');
        var cut = words.Length / 2;
        return new Conversation(
        [
            new(Role.User, $"Part one: {string.Join(' ', words[..cut])}"),
            new(Role.Assistant, draw.Of(_replies)),
            new(Role.User, $"Part two: {string.Join(' ', words[cut..])}\nPut the parts together and answer."),
        ]);
    }

    private sealed class DialogueFile
    {
        public string Replies { get; init; } = "";

        public string FollowUps { get; init; } = "";

        public string Bridges { get; init; } = "";

        public string Returns { get; init; } = "";
    }
}
