using Spectre.Console;

namespace SaferGuard.Training.Evaluation;

/// <summary>A table of a report, for the terminal and for Markdown. The first columns hold names, the others numbers.</summary>
internal sealed record ReportTable(string Title, IReadOnlyList<string> Columns, int Names, IReadOnlyList<string[]> Rows)
{
    public Table ToConsole()
    {
        var table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(Title));
        for (var i = 0; i < Columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(Columns[i]));
            table.AddColumn(i < Names ? column.NoWrap() : column.RightAligned().PadRight(0));
        }

        foreach (var row in Rows) table.AddRow([.. row.Select(Markup.Escape)]);
        return table;
    }

    public string ToMarkdown() => string.Join('\n', (string[])
    [
        $"### {Cell(Title)}", "",
        Line(Columns), Line(Columns.Select((_, i) => i < Names ? "---" : "---:")), .. Rows.Select(Line), "",
    ]);

    private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(Cell))} |";

    /// <summary>Names come from data: a table must stay a table.</summary>
    private static string Cell(string text) =>
        string.Join(' ', text.Split('\r', '\n')).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
