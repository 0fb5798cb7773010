using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;
using Spectre.Console;

namespace SaferGuard.Training.Evaluation;

/// <summary>Measures a model bundle, and the baselines that it must beat, on labelled rows.</summary>
public static class EvaluationRun
{
    private const string TrainSplit = "train";

    /// <summary>Nobody waits for a single judgment here, and the machine may be busy with a training.</summary>
    internal static EngineOptions Patient { get; } = new() { RequestTimeout = TimeSpan.FromMinutes(10) };

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
                reports.Add(Report(options, Name(kind), rows.Count, Baseline.Judge(kind, train, rows)));
            }

            if (options.Bundle is not null) reports.AddRange(await JudgeWithGuardAsync(options.Bundle, options, rows, console, cancellation));
            foreach (var table in EvaluationTables.ForTerminal(reports)) console.Write(table.ToConsole());
            if (options.Report is not null) ReportFolder.Write(options.Report, options, reports);
            if (options.OutOfFold is not null) Baseline.WriteOutOfFold(options.OutOfFold, train);
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or EngineUnavailableException or EngineTimeoutException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            var kept = options.Report is null ? "" : " What was judged is kept: the same command goes on from there.";
            console.MarkupLineInterpolated($"[red]cancelled[/]{kept}");
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
        await using var guard = Guard.Load(bundle, Patient);
        var point = options.Decision.Point ?? guard.Policy.OperatingPoint;
        if (!guard.OperatingPoints.Contains(point))
            throw new InvalidDataException($"{bundle} has no operating point '{point}', only {string.Join(", ", guard.OperatingPoints)}.");
        List<(string Judge, TraceLevel Level, IReadOnlyList<LabelledRow> Rows)> plans =
            [.. options.Levels.Select(level => ($"{guard.Model.Id}, {Name(level)}", level, rows))];
        if (options.WithAttacks) plans.Add(($"{guard.Model.Id}, under attack", TraceLevel.Brief, Attacks.On(rows, options.Seed)));

        List<EvaluationReport> reports = [];
        await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                foreach (var (judge, level, judged) in plans)
                {
                    using var journal = Journal(options.Report, $"{guard.Model.Digest} {Name(level)} {point}");
                    if (judged.Count(r => journal?.TryGet(r, out _) == true) is > 0 and var known)
                        console.MarkupLineInterpolated($"{judge}: {known} rows were judged before; delete {ReportFolder.PredictionsFile} to judge again.");
                    var task = progress.AddTask(Markup.Escape(judge), maxValue: judged.Count);
                    var predictions = await GuardJudge.JudgeAsync(
                        (conversation, l, token) => guard.AssessAsync(conversation, l, point: point, cancellation: token),
                        judged, level, journal, options.Concurrency, () => task.Increment(1), cancellation);
                    reports.Add(Report(options, judge, judged.Count, predictions));
                }
            });
        return reports;
    }

    private static PredictionJournal? Journal(string? folder, string judge)
    {
        if (folder is null) return null;
        Directory.CreateDirectory(folder);
        return PredictionJournal.Open(Path.Combine(folder, ReportFolder.PredictionsFile), judge);
    }

    private static EvaluationReport Report(EvaluateOptions options, string judge, int rows, IReadOnlyList<Prediction> predictions)
    {
        var (decided, threshold) = options.Decision.Apply(predictions);
        return EvaluationReport.Of(judge, decided, new Bootstrap(options.Resamples, options.Seed), rows - decided.Count, threshold);
    }

    private static string Name(BaselineKind kind) => kind == BaselineKind.TfIdf ? "tf-idf" : "hashed n-grams";

    private static string Name(TraceLevel level) => level == TraceLevel.Brief ? "brief" : "full";
}
