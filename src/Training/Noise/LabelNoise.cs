using SaferGuard.Reasoning.Lexical;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Lexical;

namespace SaferGuard.Training.Noise;

/// <summary>What the other rows say of one row's label.</summary>
/// <param name="Agreement">Probability of the row's own side (harmful or not) by a bag of n-grams that has not seen the row.</param>
/// <param name="IsDoubtful">The other side is at least as sure as it is, on average, of rows that are labelled so.</param>
internal sealed record LabelCheck(TrainingRow Row, double Agreement, bool IsDoubtful)
{
    /// <summary>
    /// Counted words may lower the weight. They have no say over a borderline-safe row, whose words mislead by definition, nor over a written
    /// trace: contrast pairs are made to look alike.
    /// </summary>
    public bool IsLowered => IsDoubtful && Row.Label != Label.BorderlineSafe && !Row.Source.StartsWith("traces/", StringComparison.Ordinal);
}

/// <summary>
/// Finds labels that are probably wrong by cross-validated disagreement, with the thresholds of confident learning (Northcutt et al. 2021): what
/// "sure" means is measured for each side, so that neither a rare side nor an uncalibrated model makes rows doubtful.
/// </summary>
internal static class LabelNoise
{
    private const int Folds = 5;

    /// <summary>Checks the train rows, without generated ones: those repeat other rows' words and would give their labels away.</summary>
    public static IReadOnlyList<LabelCheck> Check(IEnumerable<TrainingRow> rows, int seed)
    {
        var judged = rows.Where(r => r.Split == DataSplit.Train && !r.Source.StartsWith("made/", StringComparison.Ordinal)).ToList();
        if (judged.Count == 0 || judged.All(IsHarmful) || !judged.Any(IsHarmful))
            throw new InvalidDataException("Labels can only be checked where there are harmful and other train rows.");

        // Folds cut through sources: a bag that has seen nothing of a source finds it strange, which is not wrong.
        var folds = judged.ToLookup(r => new Draw(seed, r.Id).Below(Folds));
        var scored = folds.SelectMany(fold => Score(fold, folds.Where(f => f.Key != fold.Key).SelectMany(f => f))).ToList();
        var sureOf = scored.ToLookup(s => IsHarmful(s.Row), s => s.Agreement).ToDictionary(side => side.Key, side => side.Average());
        return [.. scored.Select(s => new LabelCheck(s.Row, s.Agreement, IsDoubtful(s.Agreement, sureOf[!IsHarmful(s.Row)])))];
    }

    /// <summary>
    /// The rows with lower weights where the label is doubtful: in proportion to the agreement, but not below <paramref name="least"/> of the old.
    /// </summary>
    public static IEnumerable<TrainingRow> Reweigh(IEnumerable<TrainingRow> rows, IEnumerable<LabelCheck> checks, double least)
    {
        var lowered = checks.Where(c => c.IsLowered).ToDictionary(c => c.Row.Id, c => Math.Max(least, 2 * c.Agreement));
        return rows.Select(row =>
            lowered.TryGetValue(row.Id, out var factor) ? row with { Weight = Math.Round(row.Weight * factor, 4) } : row);
    }

    private static bool IsDoubtful(double agreement, double sureOfOtherSide) => agreement < .5 && 1 - agreement >= sureOfOtherSide;

    private static IEnumerable<(TrainingRow Row, double Agreement)> Score(IEnumerable<TrainingRow> fold, IEnumerable<TrainingRow> others)
    {
        var prior = LexicalTrainer.Train([.. others.Select(Labelled)]);
        return fold.Select(row => (row, Agreement(prior, row)));
    }

    private static double Agreement(LexicalPrior prior, TrainingRow row)
    {
        var harmful = 1 / (1 + Math.Exp(-prior.LogOdds(row.Conversation)));
        return IsHarmful(row) ? harmful : 1 - harmful;
    }

    private static LabelledRow Labelled(TrainingRow row) => new(row.Id, row.Source, row.Split, row.Label, row.Weight, row.Conversation, null);

    private static bool IsHarmful(TrainingRow row) => row.Label == Label.Harmful;
}
