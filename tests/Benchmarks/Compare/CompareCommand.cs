using System.CommandLine;
using SaferGuard.Benchmarks.Checkpoints;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>The <c>compare</c> verb.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var work = new Option<string>("--work")
        {
            Description = "Folder for models, the peer and the store (about 3 GB).",
            DefaultValueFactory = _ => Path.Combine(Repository.Root, "artifacts", "compare"),
        };
        var report = new Option<string>("--report")
        {
            Description = "Guide whose table is replaced.",
            DefaultValueFactory = _ => Path.Combine(Repository.Root, "docs", "benchmarks.md"),
        };
        var shapes = new Option<string[]>("--shapes")
        {
            Description = "Models to measure.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [.. ModelShape.All.Keys],
        };
        shapes.AcceptOnlyFromAmong([.. ModelShape.All.Keys]);
        var quick = new Option<bool>("--quick") { Description = "One short round, to see that everything runs; the table goes to the work folder." };
        var command = new Command(
            "compare", "Measure SaferGuard against llama.cpp, against itself with one thing off, and against what the machine gives at most. Needs Node and npm.")
        {
            work, report, shapes, quick,
        };
        command.SetAction(async (parsed, _) =>
        {
            var folder = Path.GetFullPath(parsed.GetRequiredValue(work));
            Directory.CreateDirectory(folder);
            await CompareRun.RunAsync(parsed.GetValue(quick)
                ? new CompareOptions(folder, Path.Combine(folder, "quick.md"), parsed.GetRequiredValue(shapes), 1, TimeSpan.FromMilliseconds(100))
                : new CompareOptions(folder, parsed.GetRequiredValue(report), parsed.GetRequiredValue(shapes), 5, TimeSpan.FromSeconds(2)));
        });
        return command;
    }
}
