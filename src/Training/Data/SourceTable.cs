using System.Globalization;

namespace SaferGuard.Training.Data;

/// <summary>How a source is used.</summary>
/// <param name="MaxRows">The most rows taken from it.</param>
internal sealed record SourceUse(bool IsDev, int MaxRows, double Weight);

/// <summary>Which sources are left out as dev, capped or weighed (<c>sources.tsv</c>); all others are trained on whole.</summary>
internal sealed class SourceTable
{
    private readonly Dictionary<string, SourceUse> _uses = EmbeddedFile.ReadTable("sources.tsv").ToDictionary(
        row => row[0],
        row => new SourceUse(
            row[1] == DataSplit.Dev,
            row[2] == "*" ? int.MaxValue : int.Parse(row[2], CultureInfo.InvariantCulture),
            double.Parse(row[3], CultureInfo.InvariantCulture)));

    public SourceUse this[string source] => _uses.GetValueOrDefault(source) ?? new SourceUse(false, int.MaxValue, 1);

    /// <param name="keptOut">The file itself keeps the row out of training.</param>
    public string SplitOf(string source, bool keptOut) =>
        this[source].IsDev ? DataSplit.Dev : keptOut ? DataSplit.Calibration : DataSplit.Train;
}
