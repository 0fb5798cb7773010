using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>The short requests that other rows are made of, as many harmful as harmless ones being drawn. All are training rows.</summary>
internal sealed class BaseRows
{
    private const int MaxChars = 240;

    private readonly List<TrainingRow> _harmful;
    private readonly List<TrainingRow> _borderline;
    private readonly List<TrainingRow> _benign;

    public BaseRows(IEnumerable<TrainingRow> rows)
    {
        var usable = rows.Where(IsUsable).ToList();
        _harmful = [.. usable.Where(r => r.Label == Label.Harmful)];
        _borderline = [.. usable.Where(r => r.Label == Label.BorderlineSafe)];
        _benign = [.. usable.Where(r => r.Label == Label.Benign)];
    }

    public bool IsEmpty => _harmful.Count == 0 || _borderline.Count == 0 || _benign.Count == 0;

    /// <summary>A harmful and a harmless row; half of the harmless ones sound harmful.</summary>
    public TrainingRow[] Pair(Draw draw) => [draw.Of(_harmful), Harmless(draw)];

    public TrainingRow Harmless(Draw draw) => draw.Of(draw.Chance(.5) ? _borderline : _benign);

    public static string TextOf(TrainingRow row) => row.Conversation.Turns[^1].Content;

    /// <summary>What is known of a row, for a new text that asks the same.</summary>
    public static Gold GoldOf(TrainingRow row)
    {
        var violated = row.Trace.RuleChecks.FirstOrDefault(c => c.Verdict == Verdict.Violated);
        return new Gold(
            row.Label, row.Trace.Assessment.Categories, row.Trace.Path.Decision, violated?.Rule, violated?.Evidence?.Text, row.Trace.Assessment.Risk);
    }

    /// <summary>Doubtful labels are not multiplied, and texts that are attacks themselves are not wrapped again.</summary>
    private static bool IsUsable(TrainingRow row) => row is { Split: DataSplit.Train, Weight: >= .6, Conversation: { Turns: [{ Role: Role.User }], Subject: Subject.Prompt } }
        && TextOf(row).Length is > 8 and <= MaxChars
        && !row.Trace.Assessment.Categories.Contains("S14");
}
