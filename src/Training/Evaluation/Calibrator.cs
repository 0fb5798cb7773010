using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Training.Evaluation;

/// <summary>What a bundle's stages say of a labelled row.</summary>
/// <param name="Verdicts">Log-odds of each checked rule's violation, with the truth; none where the truth is not known.</param>
internal sealed record CalibrationRow(StageReadings Readings, bool IsHarmful, IReadOnlyList<(double LogOdds, bool IsViolated)> Verdicts);

/// <summary>Shares of the harmless rows that may be refused at each operating point.</summary>
internal sealed record PointRates(double Strict, double Balanced, double Permissive);

/// <summary>A calibration, and the ways of making one that were compared: the first one of each list is the model as it is.</summary>
internal sealed record CalibrationFit(Calibration Calibration, IReadOnlyList<CandidateFit> Decisions, IReadOnlyList<CandidateFit> Verdicts);

/// <summary>
/// Fits a bundle's calibration to what its stages say of labelled rows. Decisions are calibrated by a temperature on the first impression or by a
/// logistic function of all readings, verdicts by a temperature or not at all: whatever has the lesser log loss in cross-validation.
/// </summary>
internal static class Calibrator
{
    public const string AsIs = "as the model says";
    public const string ByTemperature = "temperature";
    public const string ByLogistic = "logistic";

    /// <summary>Verdicts are checked down to this share of the refusal threshold, so that few refusals are missed for want of a check.</summary>
    private const double CheckShare = 0.4;

    /// <summary>Requests are answered with care from this share of the refusal threshold on.</summary>
    private const double CareShare = 0.75;

    private const double L2 = 1;

    /// <summary>The readings by name, in the order of <see cref="StageWeights"/>.</summary>
    public static IReadOnlyList<(string Name, Func<StageReadings, double> Read)> Readings { get; } =
    [
        (nameof(StageReadings.Lexical), r => r.Lexical),
        (nameof(StageReadings.Impression), r => r.Impression),
        (nameof(StageReadings.Category), r => r.Category),
        (nameof(StageReadings.Verdict), r => r.Verdict),
    ];

    /// <exception cref="ArgumentException">Only one label is there.</exception>
    public static CalibrationFit Fit(IReadOnlyList<CalibrationRow> rows, PointRates rates)
    {
        CandidateFit[] decisions =
        [
            Decision(AsIs, _ => Calibration.Neutral.Checked),
            Decision(ByTemperature, FitTemperature),
            Decision(ByLogistic, r => FitLogistic(r, [0, 1, 2, 3])),
        ];
        var isLogistic = decisions[2].LogLoss < decisions[1].LogLoss;
        var isChecked = isLogistic ? FitLogistic(rows, [0, 1, 2, 3]) : FitTemperature(rows);
        var (temperature, verdicts) = FitVerdicts([.. rows.SelectMany(r => r.Verdicts)]);

        Scored[] scored = [.. rows.Select(r => new Scored(isChecked.Probability(r.Readings), r.IsHarmful))];
        var balanced = At(rates.Balanced);
        var calibration = new Calibration(
            isChecked,
            isLogistic ? FitLogistic(rows, [0, 1, 2]) : isChecked,
            balanced.ViolationThreshold,
            balanced.CareThreshold,
            balanced.CheckThreshold,
            Calibration.Neutral.CategoryThreshold,
            temperature,
            rates.Balanced,
            new OperatingPoints(At(rates.Strict), At(rates.Permissive)));
        return new CalibrationFit(calibration, decisions, verdicts);

        CandidateFit Decision(string name, Func<IReadOnlyList<CalibrationRow>, StageWeights> fit) =>
            CrossValidation.Of(name, rows, r => r.IsHarmful, train => Probability(fit(train)));

        Thresholds At(double rate)
        {
            var threshold = Math.Clamp(Metrics.ThresholdAtFpr(scored, rate)!.Value, 0.01, 0.99);
            return new Thresholds(threshold, threshold * CareShare, threshold * CheckShare, rate);
        }
    }

    private static Func<CalibrationRow, double> Probability(StageWeights weights) => row => weights.Probability(row.Readings);

    private static StageWeights FitTemperature(IReadOnlyList<CalibrationRow> rows) =>
        new(0, 0, 1 / Temperature.Fit([.. rows.Select(r => (r.Readings.Impression, r.IsHarmful))]), 0, 0);

    /// <summary>
    /// No weight is negative: that more evidence of harm should lower the probability of it can only be a quirk of the rows. Readings that would
    /// get a negative weight are left out, the worst first.
    /// </summary>
    private static StageWeights FitLogistic(IReadOnlyList<CalibrationRow> rows, int[] used)
    {
        bool[] labels = [.. rows.Select(r => r.IsHarmful)];
        var fit = LogisticRegression.Fit([.. rows.Select(r => used.Select(u => Readings[u].Read(r.Readings)).ToArray())], labels, [.. labels.Select(_ => 1.0)], L2);
        var worst = Enumerable.Range(0, used.Length).MinBy(i => fit.Weights[i]);
        if (fit.Weights[worst] < 0 && used.Length > 1) return FitLogistic(rows, [.. used.Where((_, i) => i != worst)]);
        var weights = new double[Readings.Count];
        for (var i = 0; i < used.Length; i++) weights[used[i]] = fit.Weights[i];
        return new StageWeights(fit.Intercept, weights[0], weights[1], weights[2], weights[3]);
    }

    private static (double Temperature, IReadOnlyList<CandidateFit> Candidates) FitVerdicts(List<(double LogOdds, bool IsViolated)> verdicts)
    {
        if (verdicts.All(v => v.IsViolated) || !verdicts.Any(v => v.IsViolated)) return (1, []);
        CandidateFit[] candidates = [Verdict(AsIs, _ => 1), Verdict(ByTemperature, Temperature.Fit)];
        return (candidates[1].LogLoss < candidates[0].LogLoss ? Temperature.Fit(verdicts) : 1, candidates);

        CandidateFit Verdict(string name, Func<IReadOnlyList<(double LogOdds, bool IsViolated)>, double> fit) => CrossValidation.Of(
            name, verdicts, v => v.IsViolated, train =>
            {
                var temperature = fit(train);
                return v => Temperature.Probability(v.LogOdds, temperature);
            });
    }
}
