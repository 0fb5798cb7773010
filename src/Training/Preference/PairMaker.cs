using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Preference;

/// <summary>
/// Makes pairs from the sampled traces of a row. A trace loses at its first faulty step, against the shortest trace that has the same beginning
/// and ends right; where the model found none, against the teacher. Where all decisions are right, the sentences compete: the shortest right one
/// wins over a wrong one, or over the longest. No sentence loses to a longer one.
/// </summary>
internal sealed class PairMaker(TraceTokens tokens, SentenceJudge judge, PairOptions options)
{
    public IEnumerable<PreferencePair> Of(GoldRow row, IReadOnlyList<SampledTrace> traces)
    {
        var faults = traces.ToLookup(t => row.FirstFault(t, tokens));
        var right = faults[null].ToList();
        foreach (var step in new[] { Step.Assessment, Step.Verdicts, Step.Path })
        {
            foreach (var loser in MostFrequent(faults[step], step))
            {
                if (Decided(row, step, loser, right) is { } pair && pair.Chosen.ChoiceOf(step) != pair.Rejected.ChoiceOf(step)) yield return pair;
            }
        }

        foreach (var alike in right.GroupBy(t => t.PrefixOf(Step.Intent)))
        {
            foreach (var step in new[] { Step.Intent, Step.Strategy })
                if (Told(row, step, [.. alike]) is { } pair) yield return pair;
        }
    }

    private IEnumerable<SampledTrace> MostFrequent(IEnumerable<SampledTrace> losers, Step step) => losers
        .GroupBy(t => $"{t.PrefixOf(step)} | {t.ChoiceOf(step)}")
        .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal)
        .Take(options.PairsPerStep)
        .Select(g => g.First());

    private PreferencePair? Decided(GoldRow row, Step step, SampledTrace loser, List<SampledTrace> right)
    {
        var own = right.Where(t => t.PrefixOf(step) == loser.PrefixOf(step)).MinBy(LengthOf);
        return (own ?? (options.MendsDecisions ? row.Mend(loser, step, tokens) : null)) is { } winner
            ? new PreferencePair(row.Id, step, own is null ? Winner.Teacher : Winner.Model, winner.Until(step), loser.Until(step))
            : null;
    }

    private PreferencePair? Told(GoldRow row, Step step, List<SampledTrace> alike)
    {
        var sentences = alike.ConvertAll(t => t.SentenceOf(step)!);
        var right = sentences.FindAll(s => judge.IsRight(step, row.Row, s));
        var own = right.MinBy(s => s.Length);
        var taught = judge.Taught(step, row.Row).Select(t => Encode(t.Text)).MinBy(s => s.Length);
        var winner = own is null || taught?.Length <= own.Length - options.MinSavedTokens ? taught : own;
        var loser = sentences.Except(right).MaxBy(s => s.Length) ?? right.MaxBy(s => s.Length)!;
        if (winner is null || loser.Length < winner.Length + (right.Contains(loser) ? options.MinSavedTokens : 0)) return null;
        return new PreferencePair(
            row.Id, step, ReferenceEquals(winner, own) ? Winner.Model : Winner.Teacher, With(winner), With(loser));

        SampledTrace With(Sentence sentence) => (step == Step.Intent ? alike[0] with { Intent = sentence } : alike[0] with { Strategy = sentence }).Until(step);
    }

    private int LengthOf(SampledTrace trace) => trace.Verdicts!.Count + trace.Intent!.Length + trace.Strategy!.Length;

    private Sentence Encode(string text)
    {
        var spans = new List<TokenSpan>();
        tokens.Tokenizer.Encode(text, spans);
        return new Sentence(text, [.. spans.Take(TraceFormat.MaxSentenceTokens).Select(s => s.Id)], spans.Count < TraceFormat.MaxSentenceTokens);
    }
}
