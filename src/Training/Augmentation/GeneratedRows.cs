using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>Rows from the grammars, varied in surface, with traces by the offline teacher. Deterministic by seed.</summary>
internal sealed class GeneratedRows(OfflineTeacher teacher, int seed)
{
    private static readonly string[] _families = ["acts", "topics", "posts", "people", "writing", "advice", "guards", "styles", "languages"];

    private readonly Surface _surface = new();

    public IEnumerable<TrainingRow> Make() => _families.Select(name => new Grammar(name)).SelectMany(Make)
        .DistinctBy(row => row.Conversation.Turns[0].Content);

    private IEnumerable<TrainingRow> Make(Grammar grammar) => grammar.Generate(seed).Select((generated, i) =>
    {
        var id = $"made/{grammar.Name}-{i:D5}";
        // Openers, closers and short forms are English.
        var text = generated.Lang == "en" ? _surface.Vary(generated.Text, new Draw(seed, id)) : generated.Text;
        return RowMaker.Make(id, $"made/{grammar.Name}", Conversation.OfPrompt(text), generated.Gold, teacher, generated.Lang);
    });
}
