using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class EvaluationReportTests
{
    private static readonly IReadOnlyList<Prediction> Predictions =
    [
        Of("mixed", Label.Harmful, 0.9, refused: true, gold: ["S4"], told: ["S4", "S5"], tokens: 10, milliseconds: 1),
        Of("mixed", Label.Harmful, 0.3, refused: false, gold: ["S4"], told: ["S5"], tokens: 20, milliseconds: 2),
        Of("mixed", Label.Benign, 0.5, refused: true, gold: [], told: ["S4"], tokens: 30, milliseconds: 3),
        Of("attacks", Label.Harmful, 0.8, refused: true, gold: ["S1"], told: ["S1"], tokens: 40, milliseconds: 4),
        Of("edge", Label.BorderlineSafe, 0.7, refused: true, gold: [], told: [], tokens: 50, milliseconds: 5),
        Of("edge", Label.BorderlineSafe, 0.1, refused: false, gold: [], told: [], tokens: 60, milliseconds: 6),
    ];

    private readonly EvaluationReport _report = EvaluationReport.Of("nano", Predictions, skipped: 2);

    [Fact]
    public void Rates_count_refusals_of_their_label()
    {
        Assert.Equal(2.0 / 3, _report.Recall);
        Assert.Equal(2.0 / 3, _report.Fpr);
        Assert.Equal(1, _report.BenignFpr);
        Assert.Equal(0.5, _report.OverRefusal);
        Assert.Equal(0.5, _report.Precision);
    }

    [Fact]
    public void Auc_within_sources_leaves_out_sources_with_one_label()
    {
        Assert.Equal(7.0 / 9, _report.Auc!.Value, 12);
        Assert.Equal(0.5, _report.MeanSourceAuc);
    }

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
    public void Category_accuracy_asks_for_the_first_category_of_harmful_rows()
    {
        Assert.Equal(2.0 / 3, _report.CategoryAccuracy);
    }

    [Fact]
    public void Cost_is_summed_up_over_the_judged_rows()
    {
        Assert.Equal((6, 2), (_report.Rows, _report.Skipped));
        Assert.Equal((35, 3, 6), (_report.MeanTraceTokens, _report.LatencyP50Ms, _report.LatencyP95Ms));
    }

    [Fact]
    public void A_judge_without_traces_has_no_trace_measures()
    {
        var report = EvaluationReport.Of("bag of words", [.. Predictions.Select(p => p with { Cost = null, Categories = null })]);

        Assert.Equal((null, null, null), (report.CategoryAccuracy, report.MeanTraceTokens, report.LatencyP50Ms));
    }

    private static Prediction Of(
        string source, Label label, double score, bool refused, string[] gold, string[] told, int tokens, int milliseconds) => new(
        new LabelledRow("id", source, "dev", label, 1, Conversation.OfPrompt("text"), gold),
        score,
        refused,
        told,
        new TraceCost(tokens, TimeSpan.FromMilliseconds(milliseconds)));
}
