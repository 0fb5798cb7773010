using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class BootstrapTests
{
    [Fact]
    public void The_interval_of_a_share_is_that_of_the_normal_approximation()
    {
        // 1000 harmful rows, 300 of them refused: 0.3 ± 1.96 · sqrt(0.3 · 0.7 / 1000) = 0.3 ± 0.0284.
        var estimate = Estimate(Rows(1000, i => i < 300), Measure.Recall);

        Assert.Equal(0.3, estimate.Value);
        Assert.Equal(0.3 - 0.0284, estimate.Low!.Value, 0.004);
        Assert.Equal(0.3 + 0.0284, estimate.High!.Value, 0.004);
    }

    [Fact]
    public void The_same_seed_gives_the_same_interval_and_another_seed_another()
    {
        var rows = Rows(200, i => i % 3 == 0);

        Assert.Equal(Estimate(rows, Measure.Recall), Estimate(rows, Measure.Recall));
        Assert.NotEqual(Estimate(rows, Measure.Recall, seed: 2), Estimate(rows, Measure.Recall));
    }

    [Fact]
    public void What_does_not_vary_has_an_interval_without_width() =>
        Assert.Equal(new Estimate(1, 1, 1), Estimate(Rows(50, _ => true), Measure.Recall));

    [Fact]
    public void What_many_resamples_leave_undefined_has_no_interval()
    {
        // A single borderline-safe row among 50 is missed by every third resample.
        Prediction[] rows = [.. Rows(49, _ => true), Row(Label.BorderlineSafe, 0.5, refused: true)];

        Assert.Equal(new Estimate(1), Estimate(rows, Measure.OverRefusal));
        Assert.Equal(new Estimate(null), Estimate(rows[..49], Measure.OverRefusal));
    }

    [Fact]
    public void Measures_of_a_resample_see_the_rows_in_order_of_their_score()
    {
        Prediction[] rows = [.. Enumerable.Range(0, 30).Select(i => Row(i % 2 == 0 ? Label.Harmful : Label.Benign, i * 7 % 30 / 30.0, refused: false))];
        var orders = new List<bool>();
        var spy = new Measure("spy", "spy", "0", p =>
        {
            orders.Add(p.Length == 30 && p.Zip(p.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score));
            return 1;
        });

        _ = Estimate(rows, spy);

        Assert.Equal(1001, orders.Count);
        Assert.DoesNotContain(false, orders);
    }

    private static Estimate Estimate(IEnumerable<Prediction> rows, Measure measure, int seed = 1) =>
        new Bootstrap(1000, seed).Estimate(rows, [measure])[measure.Name];

    private static Prediction[] Rows(int count, Func<int, bool> isRefused) =>
        [.. Enumerable.Range(0, count).Select(i => Row(Label.Harmful, (double)i / count, isRefused(i)))];

    private static Prediction Row(Label label, double score, bool refused) =>
        new(new LabelledRow("id", "set", null, label, 1, Conversation.OfPrompt("text"), null), score, refused);
}
