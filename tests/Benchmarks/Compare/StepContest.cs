using SaferGuard.Exporter;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Prefill and decoding without traces, against the peer and against what the machine gives at most.</summary>
internal static class StepContest
{
    private const int DecodeTokens = 32;
    private const int ContextTokens = 64;
    private const int AgreementTokens = 32;

    public static async Task RunAsync(Contest contest)
    {
        contest.Report.Group($"Prefill and decoding, {contest.Name} (llama.cpp on {contest.PeerThreads} of {CompareOptions.Threads} threads)");
        await using var engine = new TokenwiseEngine(contest.Bundle, CompareOptions.Engine);
        if (contest.Precision == Precision.Exact && contest.Bundle.Config.SaferguardNgrams is null) await AgreeAsync(contest, engine);
        await PrefillAsync(contest);
        await DecodeAsync(contest, engine);
    }

    /// <summary>That both sides hold the same weights. N-grams, which the peer lacks, change everything.</summary>
    private static async Task AgreeAsync(Contest contest, TokenwiseEngine engine)
    {
        var prompt = contest.PlainTokens(CompareOptions.PromptWords);
        var ours = await engine.RunAsync(prompt, SequentialTrace.Free(AgreementTokens));
        var theirs = await contest.Peer.ContinueAsync(prompt, AgreementTokens);
        var equal = ours.Zip(theirs).TakeWhile(pair => pair.First == pair.Second).Count();
        contest.Report.Row("greedy tokens until the first difference", $"{equal}", $"of {AgreementTokens}", (double)equal / AgreementTokens);
    }

    private static async Task PrefillAsync(Contest contest)
    {
        using var session = new BareSession(contest.Bundle);
        var prompt = contest.PlainTokens(CompareOptions.PrefillTokens);
        var operations = 2.0 * (LayerWeights(contest.Bundle.Config) * prompt.Length + HeadWeights(contest.Bundle.Config));
        var rounds = await contest.InTurnAsync(
            () => Task.FromResult(1 / session.Prefill(prompt).TotalSeconds),
            async () => 1 / (await contest.Peer.PrefillAsync(prompt)).TotalSeconds,
            () => Task.FromResult(contest.Limits.Product(contest.Precision)));
        var (ours, theirs, peak) = (Statistics.Median(rounds[0]), Statistics.Median(rounds[1]), Statistics.Median(rounds[2]));
        contest.Report.Row(
            $"prefill of {prompt.Length} tokens, tokens/s", Report.Number(prompt.Length * ours), $"llama.cpp: {Report.Number(prompt.Length * theirs)}",
            Rounds.Ratio(rounds[0], rounds[1], rate => rate), contest.IsGoal ? Goal.AtLeast(2.5) : null);
        contest.Report.Row(
            "the same, share of the peak, Gop/s (linears only)", Report.Number(operations * ours / 1e9), $"peak: {Report.Number(peak / 1e9)}",
            operations * Rounds.Ratio(rounds[0], rounds[2], rate => rate), contest.IsGoal ? Goal.AtLeast(0.35) : null);
    }

    private static async Task DecodeAsync(Contest contest, TokenwiseEngine engine)
    {
        double alone = 0;
        foreach (var callers in CompareOptions.Callers)
        {
            var prompts = Enumerable.Range(0, callers).Select(_ => contest.PlainTokens(ContextTokens)).ToList();
            var rounds = await contest.InTurnAsync(
                async () => (await engine.DecodeAsync(prompts, DecodeTokens)).Elapsed, () => contest.Peer.DecodeAsync(prompts, DecodeTokens));
            var rate = callers * DecodeTokens / Median(rounds[0]);
            contest.Report.Row(
                $"decoding, {callers} at once, tokens/s", Report.Number(rate), $"llama.cpp: {Report.Number(callers * DecodeTokens / Median(rounds[1]))}",
                Rounds.Ratio(rounds[1], rounds[0], t => t.TotalSeconds));
            if (callers == 1)
            {
                alone = rate;
                var bytes = rate * (LayerWeights(contest.Bundle.Config) + HeadWeights(contest.Bundle.Config))
                    * (contest.Precision.Ours == WeightFormat.Int8 ? sizeof(sbyte) : sizeof(float));
                contest.Report.Row(
                    "the same, share of the bandwidth, GB/s (weights only)", Report.Number(bytes / 1e9),
                    $"limit: {Report.Number(contest.Limits.BytesPerSecond / 1e9)}", bytes / contest.Limits.BytesPerSecond);
            }
            else
            {
                contest.Report.Row(
                    "the same, times one at once", Report.Number(rate), $"one: {Report.Number(alone)}", rate / alone,
                    contest.IsGoal && callers == CompareOptions.Callers[^1] ? Goal.AtLeast(4) : null);
            }
        }
    }

    private static double Median(TimeSpan[] rounds) => Rounds.Median(rounds, t => t.TotalSeconds);

    private static double LayerWeights(ModelConfig config) => Checkpoint.TensorsOf(config)
        .Where(t => t.Shape.Length == 2 && t.Name.StartsWith("model.layers.", StringComparison.Ordinal)).Sum(t => (double)t.Shape[0] * t.Shape[1]);

    private static double HeadWeights(ModelConfig config) => (double)config.VocabSize * config.HiddenSize;
}
