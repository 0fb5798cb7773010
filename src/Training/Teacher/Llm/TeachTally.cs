using System.Globalization;
using Spectre.Console;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>Counts what has been taught, and what it has cost over all runs on the same journal.</summary>
internal sealed class TeachTally(TeachOptions options)
{
    private const string Kept = "kept";

    private readonly Lock _counting = new();
    private readonly Dictionary<string, int> _rows = [];
    private long _inputTokens;
    private long _outputTokens;

    private double Cost => (_inputTokens * options.InputPrice + _outputTokens * options.OutputPrice) / 1e6;

    /// <param name="lesson">Null counts for nothing.</param>
    public void Add(Lesson? lesson)
    {
        if (lesson is null) return;
        var name = lesson.Outcome != Outcome.Taught ? Names.Of(lesson.Outcome) : lesson.IsKept(options.Least) ? Kept : "below the least scores";
        lock (_counting)
        {
            _rows[name] = _rows.GetValueOrDefault(name) + 1;
            _inputTokens += lesson.InputTokens;
            _outputTokens += lesson.OutputTokens;
        }
    }

    public override string ToString()
    {
        lock (_counting)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"{_rows.GetValueOrDefault(Kept)} of {_rows.Values.Sum()} kept  {_inputTokens} + {_outputTokens} tokens  cost {Cost:F2}");
        }
    }

    public Table ToTable()
    {
        lock (_counting)
        {
            var table = new Table().AddColumn("answers").AddColumn("rows", column => column.RightAligned());
            foreach (var (name, rows) in _rows.OrderByDescending(r => r.Value)) table.AddRow(name, $"{rows}");
            return table
                .AddRow("input tokens", $"{_inputTokens}")
                .AddRow("output tokens", $"{_outputTokens}")
                .AddRow("cost", Cost.ToString("F2", CultureInfo.InvariantCulture));
        }
    }
}
