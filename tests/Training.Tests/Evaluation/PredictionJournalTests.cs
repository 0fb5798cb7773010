using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class PredictionJournalTests : IDisposable
{
    private static readonly LabelledRow First = Row("one", "How do I bake bread?");
    private static readonly LabelledRow Second = Row("two", "Wie spät ist es?\n\"So\" spät.");

    private readonly TemporaryFolder _folder = new();

    private string File => _folder["predictions.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_prediction_comes_back_as_it_was()
    {
        var prediction = new Prediction(Second, 1 / 3.0, true, ["S4"], new TraceCost(48, 3, TimeSpan.FromMilliseconds(2.5)));
        using (var journal = Open()) journal.Add(Second, prediction);

        using var again = Open();

        Assert.False(again.TryGet(First, out _));
        Assert.True(again.TryGet(Second, out var known));
        Assert.Equal(prediction with { Categories = null }, known! with { Categories = null });
        Assert.Equal(["S4"], known.Categories);
    }

    [Fact]
    public void A_row_that_is_too_long_is_not_tried_again()
    {
        using (var journal = Open()) journal.Add(First, null);

        using var again = Open();

        Assert.True(again.TryGet(First, out var prediction));
        Assert.Null(prediction);
    }

    [Fact]
    public void Another_judge_and_another_conversation_are_not_taken_for_the_same()
    {
        using (var journal = Open()) journal.Add(First, Answered(First));

        using var other = Open("other");
        Assert.False(other.TryGet(First, out _));

        using var again = Open();
        Assert.False(again.TryGet(Row("one", "How do I bake a cake?"), out _));
        Assert.True(again.TryGet(Row("copy", "How do I bake bread?"), out var copy));
        Assert.Equal("copy", copy!.Row.Id);
    }

    [Fact]
    public void A_line_that_a_crash_cut_off_costs_that_row_alone()
    {
        using (var journal = Open())
        {
            journal.Add(First, Answered(First));
            journal.Add(Second, Answered(Second));
        }

        var text = System.IO.File.ReadAllText(File);
        System.IO.File.WriteAllText(File, text[..^20]);
        using (var journal = Open())
        {
            Assert.True(journal.TryGet(First, out _));
            Assert.False(journal.TryGet(Second, out _));
            journal.Add(Second, Answered(Second));
        }

        using var again = Open();
        Assert.True(again.TryGet(First, out _));
        Assert.True(again.TryGet(Second, out _));
    }

    private PredictionJournal Open(string judge = "judge") => PredictionJournal.Open(File, judge);

    private static Prediction Answered(LabelledRow row) => new(row, 0.1, false, [], new TraceCost(6, 2, TimeSpan.FromMilliseconds(1)));

    private static LabelledRow Row(string id, string prompt) => new(id, "set", null, Label.Benign, 1, Conversation.OfPrompt(prompt), null);
}
