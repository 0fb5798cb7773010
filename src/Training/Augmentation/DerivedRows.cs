using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>Rows made from other training rows: wrapped, disguised, misspelt, spliced. Each change is made to as many harmful as harmless rows.</summary>
internal sealed class DerivedRows(ShortRequests requests, OfflineTeacher teacher, int seed)
{
    private readonly Wraps _wraps = new();
    private readonly Splices _splices = new();
    private readonly Surface _surface = new();

    public IEnumerable<TrainingRow> Make() => requests.IsEmpty
        ? []
        : Make("jailbreaks", 1200, (row, draw) => OfText(_wraps.Jailbreak(row, draw)))
            .Concat(Make("frames", 1500, (row, draw) => OfText(_wraps.Light(row, draw))))
            .Concat(Make("disguises", 900, Disguise))
            .Concat(Make("noise", 1200, (row, draw) => (Conversation.OfPrompt(Misspell(ShortRequests.TextOf(row), draw)), ShortRequests.GoldOf(row))))
            .Concat(Make("paragraphs", 1300, (row, draw) => (_splices.Paragraph(row, requests, draw), ShortRequests.GoldOf(row))))
            .Concat(Make("dialogues", 1000, (row, draw) => (_splices.Dialogue(row, requests, draw), ShortRequests.GoldOf(row))))
            .Concat(Make("returns", 600, (row, draw) => (_splices.Return(row, requests, draw), ShortRequests.GoldOf(row))))
            .Concat(Make("pieces", 400, (row, draw) => (_splices.Pieces(row, draw), Wraps.AsAttack(ShortRequests.GoldOf(row), "S14.3"))));

    private IEnumerable<TrainingRow> Make(string family, int pairs, Func<TrainingRow, Draw, (Conversation Conversation, Gold Gold)> change)
    {
        var draw = new Draw(seed, $"made/{family}");
        for (var i = 0; i < pairs; i++)
        {
            foreach (var row in requests.Pair(draw))
            {
                var (conversation, gold) = change(row, draw);
                var id = $"made/{family}-{i:D5}{(row.Label == Label.Harmful ? 'h' : 's')}";
                yield return RowMaker.Make(id, $"made/{family}", conversation, gold, teacher, row.Lang);
            }
        }
    }

    private static (Conversation Conversation, Gold Gold) OfText(GeneratedText made) => (Conversation.OfPrompt(made.Text), made.Gold);

    private static (Conversation Conversation, Gold Gold) Disguise(TrainingRow row, Draw draw) =>
        (Conversation.OfPrompt(Disguises.Apply(ShortRequests.TextOf(row), draw)), Wraps.AsAttack(ShortRequests.GoldOf(row), "S14.3"));

    private string Misspell(string text, Draw draw)
    {
        for (var slips = 1 + draw.Below(1 + (text.Length / 25)); slips > 0; slips--) text = Surface.Typo(text, draw);
        return _surface.Vary(text, draw);
    }
}
