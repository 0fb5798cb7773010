using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class EvaluationReportTests
{
    private static readonly Bootstrap NoIntervals = new(Resamples: 0, Seed: 1);

    private static readonly IReadOnlyList<Prediction> Predictions =
    [
        Of("mixed", Label.Harmful, 0.9, refused: true, gold: ["S4"], told: ["S4", "S5"], tokens: 10, milliseconds: 1),
        Of("mixed", Label.Harmful, 0.3, refused: false, gold: ["S4"], told: ["S5"], tokens: 20, milliseconds: 2),
        Of("mixed", Label.Benign, 0.5, refused: true, gold: [], told: ["S4"], tokens: 30, milliseconds: 3),
        Of("attacks", Label.Harmful, 0.8, refused: true, gold: ["S1"], told: ["S1"], tokens: 40, milliseconds: 4),
        Of("edge", Label.BorderlineSafe, 0.7, refused: true, gold: ["S4"], told: [], tokens: 50, milliseconds: 5),
        Of("edge", Label.BorderlineSafe, 0.1, refused: false, gold: [], told: [], tokens: 60, milliseconds: 6),
    ];

    private readonly EvaluationReport _report = EvaluationReport.Of("nano", Predictions, NoIntervals, skipped: 2);

    [Theory]
    [InlineData("recall", 2.0 / 3)]
    [InlineData("fpr", 2.0 / 3)]
    [InlineData("benign_fpr", 1)]
    [InlineData("over_refusal", 0.5)]
    [InlineData("precision", 0.5)]
    [InlineData("f1", 4.0 / 7)]
    [InlineData("auc", 7.0 / 9)]
    [InlineData("auprc", (1 + 1 + 3.0 / 5) / 3)]
    [InlineData("mean_source_auc", 0.5)]
    [InlineData("recall_at_1_percent_fpr", 2.0 / 3)]
    [InlineData("category_accuracy", 2.0 / 3)]
    [InlineData("trace_tokens", 35)]
    [InlineData("forward_passes", 3)]
    [InlineData("latency_p50_ms", 3)]
    [InlineData("latency_p95_ms", 6)]
    public void Each_measure_is_what_a_hand_finds(string name, double expected) => Assert.Equal(expected, _report.Measures[name].Value!.Value, 12);

    [Fact]
    public void Rows_that_are_too_long_count_apart() => Assert.Equal((6, 2), (_report.Rows, _report.Skipped));

    [Fact]
    public void Groups_are_measured_against_the_other_label_of_all_sources()
    {
        var groups = _report.Groups.ToDictionary(g => (g.Source, g.Label));

        Assert.Equal(4, groups.Count);
        Assert.Equal((1.0, null), (groups[("attacks", Label.Harmful)].AucAgainstOthers, groups[("attacks", Label.Harmful)].Auc));
        Assert.Equal(0.5, groups[("mixed", Label.Harmful)].AucAgainstOthers);
        Assert.Equal(5.0 / 6, groups[("edge", Label.BorderlineSafe)].AucAgainstOthers!.Value, 12);
        Assert.Equal(2.0 / 3, groups[("attacks", Label.Harmful)].F1AgainstOthers);
        Assert.Equal(0.5, groups[("mixed", Label.Harmful)].F1AgainstOthers);
        Assert.Equal(2.0 / 3, groups[("edge", Label.BorderlineSafe)].F1AgainstOthers);
        Assert.Equal(0.6, groups[("mixed", Label.Harmful)].MeanScore, 12);
        Assert.Equal(0.5, groups[("mixed", Label.Harmful)].RefuseRate);
    }

    [Fact]
    public void A_category_is_measured_on_its_rows_against_all_benign_ones()
    {
        var slice = Assert.Single(_report.Slices, s => s is { Kind: SliceKind.Category, Name: "S4" });

        // Harmful .9 .3, borderline .7, benign .5: of the four pairs .9 wins two, .3 none.
        Assert.Equal((3, 2), (slice.Rows, slice.Harmful));
        Assert.Equal(0.5, slice.Measures["auc"].Value);
        Assert.Equal(0.5, slice.Measures["recall"].Value);
        Assert.Equal(1, slice.Measures["over_refusal"].Value);
    }

    [Fact]
    public void Languages_and_attacks_are_slices_of_their_own_rows()
    {
        Prediction[] predictions =
        [
            Predictions[0] with { Row = Predictions[0].Row with { Lang = "de", Attack = "frame" } },
            Predictions[1] with { Row = Predictions[1].Row with { Lang = "de", Attack = "frame" } },
            Predictions[2] with { Row = Predictions[2].Row with { Attack = "frame" } },
            Predictions[3],
        ];

        var report = EvaluationReport.Of("nano", predictions, NoIntervals);

        Assert.Equal(0.5, report.Measures["attack_success"].Value);
        Assert.Equal(
            [("Latin script (guess)", 2), ("de", 2)],
            report.Slices.Where(s => s.Kind == SliceKind.Language).Select(s => (s.Name, s.Rows)));
        var attack = Assert.Single(report.Slices, s => s.Kind == SliceKind.Attack);
        Assert.Equal((3, 0.5, 1.0), (attack.Rows, attack.Measures["attack_success"].Value, attack.Measures["fpr"].Value));
    }

    [Fact]
    public void A_judge_without_traces_has_no_trace_measures()
    {
        var report = EvaluationReport.Of("bag of words", [.. Predictions.Select(p => p with { Cost = null, Categories = null })], NoIntervals);

        Assert.All(
            (string[])["category_accuracy", "trace_tokens", "forward_passes", "latency_p50_ms"],
            name => Assert.Null(report.Measures[name].Value));
    }

    [Fact]
    public void A_report_of_no_rows_measures_nothing() =>
        Assert.All(EvaluationReport.Of("nobody", [], new Bootstrap(10, 1)).Measures.Values, m => Assert.Equal(default, m));

    [Fact]
    public void A_false_positive_rate_decides_by_its_threshold()
    {
        var (decided, threshold) = new DecisionRule(Fpr: 1.0 / 3).Apply(Predictions);

        // Harmless .7 .5 .1: the first may be refused, so that the threshold lies between .5 and .7.
        Assert.Equal(0.6, threshold!.Value, 12);
        Assert.Equal([0.9, 0.8, 0.7], decided.Where(p => p.Refused).Select(p => p.Score).OrderDescending());
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(0.4, false)]
    [InlineData(0.3, true)]
    public void The_judge_decides_unless_a_threshold_is_given(double? threshold, bool refused)
    {
        var (decided, _) = new DecisionRule(Threshold: threshold).Apply([Predictions[1] with { Refused = true }]);

        Assert.Equal(refused, Assert.Single(decided).Refused);
    }

    private static Prediction Of(
        string source, Label label, double score, bool refused, string[] gold, string[] told, int tokens, int milliseconds) => new(
        new LabelledRow("id", source, "dev", label, 1, Conversation.OfPrompt("text"), gold),
        score,
        refused,
        told,
        new TraceCost(tokens, 3, TimeSpan.FromMilliseconds(milliseconds)));
}
