using System.Text.RegularExpressions;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Preference;

/// <summary>
/// Tells whether a sampled sentence says what the teacher says. The teacher says the same of many rows in several ways, and then each of them is
/// right; a sentence that was written for one row stands alone.
/// </summary>
internal sealed partial class SentenceJudge
{
    /// <summary>Rows of a kind that must have a sentence before it stands for the kind.</summary>
    private const int CommonFrom = 3;

    private readonly double _agreement;
    private readonly Dictionary<string, List<TaughtSentence>> _common;

    /// <param name="agreement">Share of words (F1) from which two sentences say the same.</param>
    public SentenceJudge(IEnumerable<TrainingRow> rows, double agreement)
    {
        _agreement = agreement;
        _common = new[] { Step.Intent, Step.Strategy }
            .SelectMany(step => rows.Select(r => (Kind: KindOf(step, r), Text: TextOf(step, r))))
            .Where(s => s.Text is not null)
            .GroupBy(s => s.Kind)
            .ToDictionary(kind => kind.Key, kind => kind.CountBy(s => s.Text!).Where(t => t.Value >= CommonFrom).Select(t => new TaughtSentence(t.Key)).ToList());
    }

    public bool IsRight(Step step, TrainingRow row, Sentence sentence)
    {
        if (!sentence.Ended || sentence.Text.Length == 0) return false;
        var words = WordsOf(sentence.Text);
        return Taught(step, row).Any(t => Agreement(words, t.Words) >= _agreement);
    }

    /// <summary>The sentences that are right for a row, as the teacher writes them; none if it wrote none.</summary>
    public IEnumerable<TaughtSentence> Taught(Step step, TrainingRow row)
    {
        if (TextOf(step, row) is not { } text) return [];
        var common = _common.GetValueOrDefault(KindOf(step, row)) ?? [];
        return common.Exists(t => t.Text == text) ? common : [new TaughtSentence(text)];
    }

    private static string? TextOf(Step step, TrainingRow row) => step == Step.Intent ? row.Trace.Assessment.Intent : row.Trace.Path.Strategy;

    /// <summary>Rows of one kind have the same main category, the same violated rules and the same decision.</summary>
    private static string KindOf(Step step, TrainingRow row) => string.Join(' ', [
        step.ToString(), row.Trace.Assessment.Categories.FirstOrDefault(Policy.NoCategory), row.Trace.Path.Decision.ToString(),
        .. row.Trace.RuleChecks.Where(c => c.Verdict == Verdict.Violated).Select(c => c.Rule)]);

    private static double Agreement(HashSet<string> one, HashSet<string> other) =>
        2.0 * one.Count(other.Contains) / Math.Max(one.Count + other.Count, 1);

    private static HashSet<string> WordsOf(string text) => [.. Word().Matches(text.ToLowerInvariant()).Select(m => m.Value)];

    [GeneratedRegex(@"[\p{L}\p{N}]+")]
    private static partial Regex Word();

    internal sealed record TaughtSentence(string Text)
    {
        public HashSet<string> Words { get; } = WordsOf(Text);
    }
}
