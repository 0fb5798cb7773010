using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace SaferGuard.Training.Evaluation.Charts;

/// <summary>A picture with both axes from 0 to 1, as SVG. Coordinates given to it are those of the axes, y upwards.</summary>
internal sealed class Chart
{
    private const int Size = 420;
    private const int Left = 60;
    private const int Top = 40;
    private const int LegendLine = 18;
    private const string Grey = "#888";

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Told apart by colour-blind readers too (Okabe and Ito).</summary>
    private static readonly string[] Colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

    private readonly List<XElement> _drawn = [];
    private readonly List<string> _legend = [];

    public Chart(string title, string x, string y)
    {
        Text(title, Left + Size / 2, 24, "middle", 15);
        Text(x, Left + Size / 2, Top + Size + 40, "middle");
        _drawn.Add(With(TextOf(y, 16, Top + Size / 2, "middle", 12), "transform", $"rotate(-90 16 {Top + Size / 2})"));
        for (var i = 0; i <= 5; i++)
        {
            var at = i / 5.0;
            Line([(at, 0), (at, 1)], "#ddd", 1);
            Line([(0, at), (1, at)], "#ddd", 1);
            Text(Number(at), Left + at * Size, Top + Size + 18, "middle");
            Text(Number(at), Left - 8, Top + (1 - at) * Size + 4, "end");
        }
    }

    /// <summary>The diagonal that a judge is compared with.</summary>
    public void Diagonal() => _drawn.Add(With(Polyline([(0, 0), (1, 1)], Grey, 1), "stroke-dasharray", "5 4"));

    /// <summary>The next series' colour; its name goes into the legend.</summary>
    public string Series(string name)
    {
        _legend.Add(name);
        return Colours[(_legend.Count - 1) % Colours.Length];
    }

    public void Line(IEnumerable<(double X, double Y)> points, string colour, double width) => _drawn.Add(Polyline(points, colour, width));

    /// <param name="radius">In pixels.</param>
    public void Dot(double x, double y, double radius, string colour, string tip) => _drawn.Add(new XElement(
        Svg + "circle",
        new XAttribute("cx", Number(Left + x * Size)), new XAttribute("cy", Number(Top + (1 - y) * Size)), new XAttribute("r", Number(radius)),
        new XAttribute("fill", colour), new XAttribute("fill-opacity", "0.7"), new XElement(Svg + "title", Printable(tip))));

    public string ToSvg()
    {
        var height = Top + Size + 56 + LegendLine * _legend.Count;
        var legend = _legend.SelectMany((name, i) => Entry(name, Colours[i % Colours.Length], Top + Size + 62 + LegendLine * i));
        return new XElement(
            Svg + "svg",
            new XAttribute("viewBox", $"0 0 {Left + Size + 30} {height}"), new XAttribute("width", Left + Size + 30), new XAttribute("height", height),
            new XAttribute("font-family", "sans-serif"),
            new XElement(Svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "white")),
            _drawn, legend).ToString();
    }

    private static IEnumerable<XElement> Entry(string name, string colour, int y) =>
    [
        new XElement(
            Svg + "rect", new XAttribute("x", Left), new XAttribute("y", y - 9), new XAttribute("width", 18), new XAttribute("height", 9),
            new XAttribute("fill", colour)),
        TextOf(name, Left + 26, y, "start", 12),
    ];

    private void Text(string text, double x, double y, string anchor, int size = 12) => _drawn.Add(TextOf(text, x, y, anchor, size));

    private static XElement TextOf(string text, double x, double y, string anchor, int size) => new(
        Svg + "text",
        new XAttribute("x", Number(x)), new XAttribute("y", Number(y)), new XAttribute("text-anchor", anchor), new XAttribute("font-size", size),
        Printable(text));

    private static XElement With(XElement element, string attribute, string value)
    {
        element.SetAttributeValue(attribute, value);
        return element;
    }

    private static XElement Polyline(IEnumerable<(double X, double Y)> points, string colour, double width) => new(
        Svg + "polyline",
        new XAttribute("points", string.Join(' ', points.Select(p => $"{Number(Left + p.X * Size)},{Number(Top + (1 - p.Y) * Size)}"))),
        new XAttribute("fill", "none"), new XAttribute("stroke", colour), new XAttribute("stroke-width", Number(width)));

    /// <summary>Names come from outside, and XML has no place for control characters, lone surrogates and the like.</summary>
    private static string Printable(string text) =>
        string.Concat(text.EnumerateRunes().Where(r => !Rune.IsControl(r) && r.Value is not (0xFFFE or 0xFFFF)));

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
