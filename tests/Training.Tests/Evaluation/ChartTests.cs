using System.Globalization;
using System.Xml.Linq;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Evaluation.Charts;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class ChartTests
{
    private static readonly EvaluationReport Report = EvaluationReport.Of(
        "a <b> & \"c\" \u0001\ufffe|",
        [Of(Label.Harmful, 0.9, true), Of(Label.Harmful, 0.4, false), Of(Label.Benign, 0.5, true), Of(Label.Benign, 0.1, false)],
        new Bootstrap(0, 1));

    [Fact]
    public void A_roc_curve_goes_from_the_lower_left_through_its_corners_to_the_upper_right()
    {
        var svg = XDocument.Parse(RocChart.Draw([Report]));

        // Axes from 0 to 1 span 420 pixels from (60, 460) to (480, 40).
        var curve = svg.Descendants().Single(e => e.Name.LocalName == "polyline" && e.Attribute("stroke")!.Value == "#0072b2");
        Assert.Equal("60,460 60,250 270,250 270,40 480,40", curve.Attribute("points")!.Value);
        var decided = svg.Descendants().Single(e => e.Name.LocalName == "circle");
        Assert.Equal(("270", "250"), (decided.Attribute("cx")!.Value, decided.Attribute("cy")!.Value));
    }

    [Fact]
    public void A_reliability_diagram_has_a_dot_for_each_bin_at_its_score_and_share()
    {
        var svg = XDocument.Parse(ReliabilityChart.Draw([Report]));

        var dots = svg.Descendants().Where(e => e.Name.LocalName == "circle").ToList();
        Assert.Equal(4, dots.Count);
        Assert.Equal([102, 228, 270, 438], dots.Select(d => double.Parse(d.Attribute("cx")!.Value, CultureInfo.InvariantCulture)));
        Assert.Equal([460, 40, 460, 40], dots.Select(d => double.Parse(d.Attribute("cy")!.Value, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_name_with_marks_of_xml_stays_text()
    {
        var svg = XDocument.Parse(RocChart.Draw([Report]));

        Assert.Contains(svg.Descendants(), e => e.Name.LocalName == "text" && e.Value.StartsWith("a <b> & \"c\" |: AUC 0.750", StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_measured_is_an_empty_chart()
    {
        var nothing = EvaluationReport.Of("nobody", [], new Bootstrap(0, 1));

        Assert.DoesNotContain(XDocument.Parse(RocChart.Draw([nothing])).Descendants(), e => e.Name.LocalName == "circle");
        Assert.DoesNotContain(XDocument.Parse(ReliabilityChart.Draw([nothing])).Descendants(), e => e.Name.LocalName == "circle");
    }

    private static Prediction Of(Label label, double score, bool refused) =>
        new(new LabelledRow("id", "set", null, label, 1, Conversation.OfPrompt("text"), null), score, refused);
}
