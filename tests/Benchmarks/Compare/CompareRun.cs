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
    private const int TrialTokens = 16;

    public static async Task RunAsync(CompareOptions options)
    {
        var report = new Report();
        var commit = await ChildProcess.RunAsync("git", ["rev-parse", "--short", "HEAD"]);
        var machine = Machine.Describe(await LlamaCpp.VersionAsync());
        report.Write(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd}, commit {commit}. {machine}"));
        report.Write($"Medians of {options.Rounds} rounds of at least {options.Duration.TotalSeconds} s a side, the sides in turn.");
        await ServiceProcess.BuildAsync();
        using var limits = Limits.Measure(options.Rounds);
        await ServiceContest.BundledAsync(options, report);

        using var peer = await LlamaCpp.StartAsync(Path.Combine(options.Work, "peer"), CompareOptions.Threads);
        foreach (var shape in options.Shapes)
        {
            var materials = new Materials(options.Work, shape);
            foreach (var precision in new[] { Precision.Bytes, Precision.Exact })
            {
                var contest = new Contest(options, report, limits, shape, precision, materials.Bundle(precision.Ours), peer);
                var threads = await LoadPeerAsync(contest, materials.Gguf(precision.Theirs));
                await RunAsync(contest with { PeerThreads = threads });
            }
        }

        report.Save(options.Report);
    }

    /// <summary>Threads that wait for each other may cost a small model more than they give: the peer gets as many as serve it best.</summary>
    private static async Task<int> LoadPeerAsync(Contest contest, string gguf)
    {
        IReadOnlyList<int[]>[] crowds = [.. CompareOptions.Callers.Select(callers => Enumerable.Range(0, callers).Select(_ => contest.PlainTokens(TrialTokens)).ToList())];
        var times = new Dictionary<int, double>();
        for (var threads = 1; threads <= CompareOptions.Threads; threads++)
        {
            await LoadAsync(threads);
            var trials = await contest.InTurnAsync([.. crowds.Select(prompts => (Func<Task<TimeSpan>>)(() => contest.Peer.DecodeAsync(prompts, TrialTokens)))]);
            times[threads] = trials.Average(crowd => Math.Log(Rounds.Median(crowd, t => t.TotalSeconds))); // every crowd counts the same
        }

        var best = times.MinBy(time => time.Value).Key;
        await LoadAsync(best);
        return best;

        Task LoadAsync(int threads) => contest.Peer.LoadAsync(gguf, CompareOptions.Callers[^1], PeerContextTokens, threads);
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
