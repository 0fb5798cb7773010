using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>Rows from the grammars, varied in surface, with traces by the offline teacher. Deterministic by seed.</summary>
internal sealed class GeneratedRows(OfflineTeacher teacher, int seed)
{
    private static readonly string[] _families = ["acts", "topics", "posts", "people", "writing", "advice", "guards"];

    private readonly Surface _surface = new();

    public IEnumerable<TrainingRow> Make() => _families.Select(name => new Grammar(name)).SelectMany(Make)
        .DistinctBy(row => row.Conversation.Turns[0].Content);

    private IEnumerable<TrainingRow> Make(Grammar grammar) => grammar.Generate(seed).Select((generated, i) =>
    {
        var id = $"made/{grammar.Name}-{i:D5}";
        var conversation = Conversation.OfPrompt(_surface.Vary(generated.Text, new Draw(seed, id)));
        return RowMaker.Make(id, $"made/{grammar.Name}", conversation, generated.Gold, teacher);
    });
}

/// <summary>Rows that this project generates: all are trained on, and weigh a little less than what people wrote.</summary>
internal static class RowMaker
{
    private const double Weight = .7;

    public static TrainingRow Make(string id, string source, Conversation conversation, Gold gold, OfflineTeacher teacher, string lang = "en") =>
        new(id, source, DataSplit.Train, gold.Label, Weight, lang, conversation, teacher.Teach(id, conversation, gold));
}
