using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace SaferGuard.Benchmarks.Load;

/// <summary>The <c>load</c> verb.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var url = new Option<Uri>("--url")
        {
            Description = "The running service.",
            DefaultValueFactory = _ => new("http://127.0.0.1:8080"),
            CustomParser = result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https")) return uri;
                result.AddError("--url takes an address like http://127.0.0.1:8080.");
                return null;
            },
        };
        var callers = new Option<int[]>("--callers") { Description = "Callers at once, one run for each number.", DefaultValueFactory = _ => [1, 4, 16] };
        var lengths = new Option<int[]>("--words") { Description = "Lengths of the prompts, in rotation.", DefaultValueFactory = _ => [20, 20, 20, 200, 1000] };
        var trace = new Option<string>("--trace") { Description = "brief or full.", DefaultValueFactory = _ => "brief" };
        var seconds = new Option<int>("--seconds") { Description = "Length of a run.", DefaultValueFactory = _ => 10 };
        var fairness = new Option<bool>("--fairness") { Description = "Instead: short prompts alone, and while the service is flooded with long ones." };
        trace.AcceptOnlyFromAmong("brief", "full");
        callers.AllowMultipleArgumentsPerToken = lengths.AllowMultipleArgumentsPerToken = true;
        callers.Validators.Add(result => RequirePositive(result.GetValueOrDefault<int[]>(), result.AddError));
        lengths.Validators.Add(result => RequirePositive(result.GetValueOrDefault<int[]>(), result.AddError));
        var command = new Command("load", "Put load on a running service and print latencies.") { url, callers, lengths, trace, seconds, fairness };
        command.SetAction(async (parsed, _) =>
        {
            using var service = new ServiceClient(parsed.GetRequiredValue(url));
            if (!await service.IsReadyAsync(CancellationToken.None))
            {
                AnsiConsole.MarkupLineInterpolated($"[red]No service is ready at {parsed.GetRequiredValue(url)}.[/]");
                return 1;
            }

            var run = new LoadRun(
                service, parsed.GetRequiredValue(trace), parsed.GetRequiredValue(lengths), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
            var table = new Table().AddColumn("load").AddColumn(Number("requests/s")).AddColumn(Number("p50 ms")).AddColumn(Number("p95 ms")).AddColumn(Number("p99 ms"))
                .AddColumn(Number("failed"));
            if (parsed.GetValue(fairness))
            {
                var (alone, flooded) = await run.MeasureFairnessAsync();
                AddRow(table, "short prompts alone", alone);
                AddRow(table, "short prompts in a flood", flooded);
            }
            else
            {
                foreach (var count in parsed.GetRequiredValue(callers)) AddRow(table, $"{count} callers", await run.RunAsync(count));
            }

            AnsiConsole.Write(table);
            return 0;
        });
        return command;
    }

    private static TableColumn Number(string name) => new TableColumn(name).RightAligned();

    private static void RequirePositive(int[]? values, Action<string> addError)
    {
        if (values?.Any(v => v < 1) ?? false) addError("Numbers must be positive.");
    }

    private static void AddRow(Table table, string load, Round round) => table.AddRow(
        [load, .. new[] { round.PerSecond, round.P50, round.P95, round.P99 }.Select(v => v.ToString("F1", CultureInfo.InvariantCulture)), $"{round.Failed}"]);
}
