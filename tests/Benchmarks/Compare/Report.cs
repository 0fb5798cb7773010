using System.Globalization;
using System.Text;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>A bound that the ratio of a row must keep.</summary>
internal sealed record Goal(double Bound, bool IsLeast)
{
    public static Goal AtLeast(double bound) => new(bound, true);

    public static Goal AtMost(double bound) => new(bound, false);

    public bool IsReached(double ratio) => IsLeast ? ratio >= Bound : ratio <= Bound;
}

/// <summary>The table of results, as it goes to the terminal and into the guide.</summary>
internal sealed class Report
{
    private const string Begin = "<!-- measured: begin -->";
    private const string End = "<!-- measured: end -->";

    private readonly StringBuilder _text = new();

    /// <summary>Begins a group of rows.</summary>
    public void Group(string title) =>
        Write($"\n**{title}**\n\n| measurement | SaferGuard | compared with | ratio | goal |\n|---|---:|---:|---:|---|");

    /// <param name="ratio">What the measurement's name says; more than 1 is better where nothing else is said.</param>
    public void Row(string measurement, string ours, string other, double ratio, Goal? goal = null)
    {
        var bound = goal is null ? "" : $"{(goal.IsLeast ? "≥" : "≤")} {Number(goal.Bound)}: {(goal.IsReached(ratio) ? "reached" : "**missed**")}";
        Write($"| {measurement} | {ours} | {other} | {Number(ratio)} | {bound} |");
    }

    /// <summary>Throughput of complete traces.</summary>
    public void Throughput(string measurement, Round[] ours, string name, Round[] theirs, Goal? goal = null) => Row(
        $"{measurement}, traces/s",
        Number(Rounds.Median(ours, r => r.PerSecond)), $"{name}: {Number(Rounds.Median(theirs, r => r.PerSecond))}",
        Rounds.Ratio(ours, theirs, r => r.PerSecond), goal);

    /// <summary>Median latency: how many times lower ours is.</summary>
    public void Latency(string measurement, Round[] ours, string name, Round[] theirs, Goal? goal = null) => Row(
        $"{measurement}, p50",
        $"{Number(Rounds.Median(ours, r => r.P50))} ms", $"{name}: {Number(Rounds.Median(theirs, r => r.P50))} ms",
        Rounds.Ratio(theirs, ours, r => r.P50), goal);

    public void Write(string line)
    {
        _text.Append(line).Append('\n');
        Console.WriteLine(line);
    }

    /// <summary>Puts the results into the guide, between the marks; the words around them stay.</summary>
    public void Save(string path)
    {
        var guide = File.Exists(path) ? File.ReadAllText(path) : $"# Benchmarks\n\n{Begin}\n{End}\n";
        var (begin, end) = (guide.IndexOf(Begin, StringComparison.Ordinal), guide.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin) throw new InvalidDataException($"{path} lacks the marks {Begin} and {End}.");
        File.WriteAllText(path, $"{guide[..begin]}{Begin}\n{_text}{guide[end..]}");
    }

    /// <summary>Three digits.</summary>
    public static string Number(double value) => value.ToString(
        Math.Abs(value) switch { >= 99.95 => "N0", >= 9.995 => "F1", _ => "F2" }, CultureInfo.InvariantCulture);
}
