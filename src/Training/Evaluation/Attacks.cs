using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Augmentation;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>
/// Puts every request of a set, harmful and harmless alike, into a jailbreak frame and into a disguise. Frames and disguises are those that
/// training rows are made with, so that a model trained on such rows is measured on attacks that it knows.
/// </summary>
internal static class Attacks
{
    public const string Frame = "frame";
    public const string Disguise = "disguise";

    /// <summary>Single prompts only: what is said in a longer conversation does not fit a frame.</summary>
    public static IReadOnlyList<LabelledRow> On(IEnumerable<LabelledRow> rows, int seed)
    {
        var wraps = new Wraps();
        return
        [
            .. from row in rows
               where row is { Attack: null, Conversation: { Turns: [{ Role: Role.User }], Subject: Subject.Prompt } }
               from attack in (string[])[Frame, Disguise]
               let draw = new Draw(seed, $"{attack}/{row.Id}")
               let prompt = row.Conversation.Turns[0].Content
               let text = attack == Frame ? wraps.Jailbreak(prompt, draw) : Disguises.Apply(prompt, draw)
               select row with
               {
                   Id = $"{row.Id}#{attack}",
                   Attack = attack,
                   Lang = row.Language,
                   Categories = row.IsHarmful ? row.Categories?.Prepend(Wraps.Category).ToArray() : row.Categories,
                   Conversation = Conversation.OfPrompt(text),
               },
        ];
    }
}
