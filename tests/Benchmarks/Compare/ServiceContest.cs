using System.Collections.Concurrent;
using SaferGuard.Benchmarks.Load;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>The service over HTTP, each judgment on disk before its response.</summary>
internal static class ServiceContest
{
    private const double MostMilliseconds = 10;

    private sealed record ServiceRound(Round Http, double EngineMilliseconds);

    /// <summary>The bundled model for one caller, and what a prompt costs without engine, service and store.</summary>
    public static async Task BundledAsync(CompareOptions options, Report report)
    {
        using var service = await ServiceProcess.StartAsync(options.Work, Repository.BundledModel);
        var bundle = ModelBundle.Load(Repository.BundledModel);
        using var session = new BareSession(bundle);
        var (prompts, template) = (new PromptSource(), new PromptTemplate(bundle.Tokenizer));
        var rounds = await Rounds.InTurnAsync(options.Rounds,
            [() => AssessAsync("brief"), () => AssessAsync("full"), () => Task.FromResult(new ServiceRound(Prefill(), 0))]);
        var (brief, full, bare) = (rounds[0], rounds[1], rounds[2]);
        var (p50, engine, prefill) = (P50(brief), Rounds.Median(brief, r => r.EngineMilliseconds), P50(bare));

        report.Group($"The service with the bundled model, one caller, prompts of about {CompareOptions.PromptWords} tokens");
        report.Row("brief trace over HTTP, p50, share of the time allowed", Milliseconds(p50), $"allowed: {MostMilliseconds:F0} ms", p50 / MostMilliseconds, Goal.AtMost(1));
        report.Row(
            "the engine's part of it, times a bare pass over the prompt", Milliseconds(engine), $"bare pass: {Milliseconds(prefill)}",
            Statistics.Median(brief.Zip(bare, (ours, pass) => ours.EngineMilliseconds / pass.Http.P50)), Goal.AtMost(2.5));
        report.Row(
            "full trace over HTTP, p50, times the brief one", Milliseconds(P50(full)), $"brief: {Milliseconds(p50)}",
            Rounds.Ratio(full, brief, r => r.Http.P50), Goal.AtMost(6));

        async Task<ServiceRound> AssessAsync(string trace)
        {
            var times = new ConcurrentQueue<double>();
            var round = await ClosedLoop.RunAsync(
                1, options.Duration, async _ => times.Enqueue(await service.Client.AssessAsync(prompts.Next(CompareOptions.PromptWords), trace)));
            return new ServiceRound(Answered(round), Statistics.Median(times));
        }

        Round Prefill()
        {
            var times = Enumerable.Range(0, 50)
                .Select(_ => template.Render(Conversation.OfPrompt(prompts.Next(CompareOptions.PromptWords))).Select(token => token.Id).ToArray())
                .Select(prompt => session.Prefill(prompt).TotalMilliseconds).ToArray();
            return new Round(TimeSpan.FromMilliseconds(times.Sum()), times);
        }
    }

    /// <summary>Short prompts alone, and in a flood of long ones.</summary>
    public static async Task FairnessAsync(CompareOptions options, Report report, string bundle, string name)
    {
        using var service = await ServiceProcess.StartAsync(options.Work, bundle);
        var run = new LoadRun(service.Client, "brief", [CompareOptions.PromptWords], 2 * options.Duration);
        var rounds = (await Rounds.InTurnAsync(options.Rounds, [MeasureAsync]))[0];
        report.Group($"Fairness, {name}");
        report.Row(
            $"p95 of short prompts while {LoadRun.FloodCallers} callers send prompts of {LoadRun.LongWords} words, times alone",
            Milliseconds(Rounds.Median(rounds, r => r.Flooded.P95)), $"alone: {Milliseconds(Rounds.Median(rounds, r => r.Alone.P95))}",
            Statistics.Median(rounds.Select(r => r.Flooded.P95 / r.Alone.P95)));

        async Task<(Round Alone, Round Flooded)> MeasureAsync()
        {
            var (alone, flooded) = await run.MeasureFairnessAsync();
            return (Answered(alone), Answered(flooded));
        }
    }

    private static Round Answered(Round round) =>
        round.Failed == 0 ? round : throw new InvalidOperationException($"The service did not answer {round.Failed} requests.");

    private static double P50(ServiceRound[] rounds) => Rounds.Median(rounds, r => r.Http.P50);

    private static string Milliseconds(double value) => $"{Report.Number(value)} ms";
}
