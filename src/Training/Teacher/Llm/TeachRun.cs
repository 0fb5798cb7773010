using SaferGuard.Reasoning.Policies;
using SaferGuard.Training.Data;
using Spectre.Console;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>Has rows taught that are not in the journal yet, and writes all rows with the traces that are kept.</summary>
internal static class TeachRun
{
    /// <summary>Rows that fail one after the other, each after all its retries, before the run gives up.</summary>
    private const int MaxFailuresInARow = 10;

    /// <summary>Expected failures are one line of text.</summary>
    /// <returns>The exit code: 0 when every row has been asked.</returns>
    public static async Task<int> RunAsync(TeachOptions options, IAnsiConsole console, CancellationToken cancellation = default)
    {
        try
        {
            options.Validate();
            using var endpoint = new Endpoint(options);
            var policy = PolicyReader.Default;
            var teacher = new LlmTeacher(endpoint.Model(options.Model), options.Judges ? endpoint.Model(options.JudgeModel ?? options.Model) : null, policy, options);
            var rows = RowFile.Read(options.Data).ToList();
            var chosen = Choose(rows, teacher, options);
            if (chosen.Count == 0) throw new InvalidDataException($"{options.Data} has no train row of these sources.");

            Directory.CreateDirectory(options.OutputFolder);
            using var journal = new TeachJournal(Path.Combine(options.OutputFolder, TeachJournal.Name));
            var tally = new TeachTally(options);
            foreach (var digest in chosen.Values) tally.Add(journal.Find(digest));
            var failed = await TeachAsync(teacher, endpoint, chosen, journal, tally, options.Concurrency, console, cancellation);
            RowFile.Write(Path.Combine(options.OutputFolder, RowFile.Name), rows.Select(row => WithLesson(row, chosen, journal, options.Least)));
            console.Write(tally.ToTable());
            if (failed == 0) return 0;
            console.MarkupLineInterpolated($"[yellow]{failed} rows got no answer; the same command asks for them again.[/]");
            return 1;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("[red]cancelled[/]; the same command goes on from here");
            return 1;
        }
    }

    /// <summary>The train rows of the wanted sources with their digests, in the order of these: any part of it is a fair sample.</summary>
    private static Dictionary<TrainingRow, string> Choose(IEnumerable<TrainingRow> rows, LlmTeacher teacher, TeachOptions options) => rows
        .Where(r => r.Split == DataSplit.Train && options.Takes(r.Source))
        .Select(r => KeyValuePair.Create(r, teacher.DigestOf(r)))
        .OrderBy(r => r.Value, StringComparer.Ordinal)
        .Take(options.Limit ?? int.MaxValue)
        .ToDictionary<TrainingRow, string>(ReferenceEqualityComparer.Instance);

    /// <returns>How many rows got no answer.</returns>
    private static async Task<int> TeachAsync(
        LlmTeacher teacher,
        Endpoint endpoint,
        Dictionary<TrainingRow, string> chosen,
        TeachJournal journal,
        TeachTally tally,
        int concurrency,
        IAnsiConsole console,
        CancellationToken cancellation)
    {
        var pending = chosen.Where(c => journal.Find(c.Value) is null).ToList();
        var (failed, failedInARow) = (0, 0);
        await console.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(tally.ToString(), maxValue: Math.Max(1, pending.Count));
                await Parallel.ForEachAsync(
                    pending,
                    new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation },
                    async (row, token) =>
                    {
                        if (await AskAsync(row.Key, row.Value, token) is { } lesson)
                        {
                            journal.Append(lesson);
                            tally.Add(lesson);
                        }

                        task.Description(tally.ToString()).Increment(1);
                    });
            });
        return failed;

        async Task<Lesson?> AskAsync(TrainingRow row, string digest, CancellationToken token)
        {
            try
            {
                var lesson = await teacher.TeachAsync(row, digest, token);
                Interlocked.Exchange(ref failedInARow, 0);
                return lesson;
            }
            catch (Exception e) when (!token.IsCancellationRequested)
            {
                var scope = Patience.ScopeOf(e);
                if (scope == FaultScope.Row) return Lesson.Without(digest, row, Outcome.Declined, [endpoint.Describe(e)], new TokenCount());
                Interlocked.Increment(ref failed);
                if (scope == FaultScope.Run) throw new IOException($"The endpoint does not serve this: {endpoint.Describe(e)}", e);
                if (Interlocked.Increment(ref failedInARow) < MaxFailuresInARow) return null;
                throw new IOException($"The endpoint failed for {MaxFailuresInARow} rows in a row: {endpoint.Describe(e)}", e);
            }
        }
    }

    private static TrainingRow WithLesson(TrainingRow row, Dictionary<TrainingRow, string> chosen, TeachJournal journal, JudgeScores least) =>
        chosen.TryGetValue(row, out var digest) && journal.Find(digest) is { } lesson && lesson.IsKept(least) ? row with { Trace = lesson.Trace! } : row;
}
