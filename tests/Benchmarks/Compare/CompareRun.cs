using System.Globalization;
using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Benchmarks.Peers;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Every comparison, one after the other, into one report.</summary>
internal static class CompareRun
{
    private const int PeerContextTokens = 512; // of a sequence

    public static async Task RunAsync(CompareOptions options)
    {
        var report = new Report();
        var commit = await ChildProcess.RunAsync("git", ["rev-parse", "--short", "HEAD"]);
        var machine = Machine.Describe(await LlamaCpp.VersionAsync());
        report.Write(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd}, commit {commit}. {machine}"));
        report.Write($"Medians of {options.Rounds} rounds of at least {options.Duration.TotalSeconds} s a side, the sides in turn.");
        await ServiceProcess.BuildAsync();
        var limits = Limits.Measure(options.Rounds);
        await ServiceContest.BundledAsync(options, report);

        using var peer = await LlamaCpp.StartAsync(Path.Combine(options.Work, "peer"), CompareOptions.Threads);
        foreach (var shape in options.Shapes)
        {
            var materials = new Materials(options.Work, shape);
            foreach (var precision in new[] { Precision.Bytes, Precision.Exact })
            {
                var contest = new Contest(options, report, limits, shape, precision, materials.Bundle(precision.Ours), peer);
                await peer.LoadAsync(materials.Gguf(precision.Theirs), CompareOptions.Callers[^1], PeerContextTokens);
                await RunAsync(contest);
            }
        }

        report.Save(options.Report);
    }

    private static async Task RunAsync(Contest contest)
    {
        await StepContest.RunAsync(contest);
        await using (var guard = Guard.Load(contest.Bundle.Folder, CompareOptions.Engine))
        {
            if (contest.Precision == Precision.Exact)
            {
                await TraceContest.RunAsync(contest, guard, [TraceLevel.Brief]);
                return;
            }

            await TraceContest.RunAsync(contest, guard, [TraceLevel.Brief, TraceLevel.Full]);
            await Ablations.RunAsync(contest, guard);
        }

        if (contest.Shape == ModelShape.Smol) await ServiceContest.FairnessAsync(contest.Options, contest.Report, contest.Bundle.Folder, contest.Name);
    }
}
