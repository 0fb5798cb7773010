using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;
using Spectre.Console;

namespace SaferGuard.Training.Evaluation;

/// <summary>Measures a model bundle, and the baselines that it must beat, on labelled rows.</summary>
public static class EvaluationRun
{
    private const string TrainSplit = "train";

    private static readonly JsonSerializerOptions ReportJson = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>Judges, prints the tables and writes the report. Expected failures are one line of text.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(EvaluateOptions options, IAnsiConsole console, CancellationToken cancellation = default)
    {
        try
        {
            var all = LabelledRowReader.Read(options.Data);
            var train = all.Where(r => r.Split == TrainSplit).ToArray();
            var rows = Spread([.. all.Where(r => r.Split is null || r.Split == options.Split)], options.Limit);
            if (rows.Count == 0) throw new InvalidDataException($"{options.Data} has no rows of the split '{options.Split}'.");

            List<EvaluationReport> reports = [];
            foreach (var kind in options.Baselines)
            {
                console.MarkupLineInterpolated($"Training the {Name(kind)} baseline on {train.Length} rows.");
                reports.Add(EvaluationReport.Of(Name(kind), Baseline.Judge(kind, train, rows, options.Threshold)));
            }

            if (options.Bundle is not null) reports.AddRange(await JudgeWithGuardAsync(options.Bundle, options, rows, console, cancellation));
            EvaluationTables.Print(console, reports);
            if (options.Report is not null) await WriteReportAsync(options.Report, options, reports, cancellation);
            if (options.OutOfFold is not null) Baseline.WriteOutOfFold(options.OutOfFold, train);
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or EngineUnavailableException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("[red]cancelled[/]");
            return 1;
        }
    }

    /// <summary>At most <paramref name="limit"/> rows, evenly from the whole list, because sources stand together.</summary>
    internal static IReadOnlyList<LabelledRow> Spread(IReadOnlyList<LabelledRow> rows, int? limit) => limit is not { } count || count >= rows.Count
        ? rows
        : [.. Enumerable.Range(0, count).Select(i => rows[(int)((long)i * rows.Count / count)])];

    private static async Task<List<EvaluationReport>> JudgeWithGuardAsync(
        string bundle, EvaluateOptions options, IReadOnlyList<LabelledRow> rows, IAnsiConsole console, CancellationToken cancellation)
    {
        await using var guard = Guard.Load(bundle);
        List<EvaluationReport> reports = [];
        await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                foreach (var level in options.Levels)
                {
                    var judge = $"{guard.Model.Id}, {Name(level)}";
                    var task = progress.AddTask(Markup.Escape(judge), maxValue: rows.Count);
                    var predictions = await GuardJudge.JudgeAsync(
                        (conversation, l, token) => guard.AssessAsync(conversation, l, cancellation: token),
                        rows, level, options.Threshold, options.Concurrency, () => task.Increment(1), cancellation);
                    reports.Add(EvaluationReport.Of(judge, predictions, skipped: rows.Count - predictions.Count));
                }
            });
        return reports;
    }

    private static async Task WriteReportAsync(
        string path, EvaluateOptions options, IReadOnlyList<EvaluationReport> reports, CancellationToken cancellation)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(new { options.Data, options.Split, options.Threshold, Reports = reports }, ReportJson);
        await File.WriteAllBytesAsync(path, bytes, cancellation);
    }

    private static string Name(BaselineKind kind) => kind == BaselineKind.TfIdf ? "tf-idf" : "hashed n-grams";

    private static string Name(TraceLevel level) => level == TraceLevel.Brief ? "brief" : "full";
}
