using SaferGuard.Benchmarks.Load;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Ourselves with one thing off.</summary>
internal static class Ablations
{
    private const int SystemWords = 400;
    private const int AllocationTokens = 256;
    private const int LongContextTokens = 512;
    private const int LongContextSteps = 16;

    public static async Task RunAsync(Contest contest, Guard guard)
    {
        contest.Report.Group($"Ourselves with one thing off, {contest.Name}");
        await ForcedTokensAsync(contest, guard);
        await BatchingAsync(contest, guard);
        await PrefixCacheAsync(contest, guard);
        await HalfCacheAsync(contest);
        await AllocationAsync(contest);
    }

    private static async Task ForcedTokensAsync(Contest contest, Guard guard)
    {
        await using var engine = new TokenwiseEngine(contest.Bundle, CompareOptions.Engine);
        var trace = SequentialTrace.Brief(contest.Tokens);
        foreach (var callers in CompareOptions.Callers)
        {
            var rounds = await contest.InTurnAsync(
                () => contest.JudgeAsync(guard, callers, TraceLevel.Brief),
                () => ClosedLoop.RunAsync(
                    callers, contest.Options.Duration,
                    _ => engine.RunAsync(trace.PromptOf(contest.Tokens.Template.Render(contest.NextPrompt())), trace.Steps)));
            contest.Report.Throughput($"brief, {callers} at once, one token a pass", rounds[0], "so", rounds[1]);
        }
    }

    private static async Task BatchingAsync(Contest contest, Guard guard)
    {
        var most = CompareOptions.Callers[^1];
        await using var unbatched = Guard.Load(contest.Bundle.Folder, CompareOptions.Engine with { MaxBatchSequences = 1 });
        foreach (var level in Enum.GetValues<TraceLevel>())
        {
            var rounds = await contest.InTurnAsync(
                () => contest.JudgeAsync(guard, most, level), () => contest.JudgeAsync(unbatched, most, level), () => contest.JudgeAsync(guard, 1, level));
            contest.Report.Throughput($"{Name(level)}, {most} callers, one sequence a pass", rounds[0], "so", rounds[1]);
            contest.Report.Throughput(
                $"{Name(level)}, {most} callers, times one caller", rounds[0], "one", rounds[2], contest.IsGoal ? Goal.AtLeast(4) : null);
        }
    }

    private static async Task PrefixCacheAsync(Contest contest, Guard guard)
    {
        await using var uncached = Guard.Load(contest.Bundle.Folder, CompareOptions.Engine with { PrefixCacheTokens = 0 });
        var system = new Turn(Role.System, new PromptSource().Next(SystemWords));
        Conversation Prompt() => new([system, .. contest.NextPrompt().Turns]);
        foreach (var callers in new[] { 1, CompareOptions.Callers[^1] })
        {
            var rounds = await contest.InTurnAsync(
                () => contest.JudgeAsync(guard, callers, TraceLevel.Brief, Prompt), () => contest.JudgeAsync(uncached, callers, TraceLevel.Brief, Prompt));
            contest.Report.Throughput(
                $"brief, {callers} at once, the same {SystemWords} words before each prompt, no prefix cache", rounds[0], "so", rounds[1]);
        }
    }

    private static async Task HalfCacheAsync(Contest contest)
    {
        await using var exact = new TokenwiseEngine(contest.Bundle, CompareOptions.Engine with { KvCache = KvCacheFormat.Fp32 });
        await using var half = new TokenwiseEngine(contest.Bundle, CompareOptions.Engine with { KvCache = KvCacheFormat.Bf16 });
        var prompts = Enumerable.Range(0, CompareOptions.Callers[^1]).Select(_ => contest.PlainTokens(LongContextTokens)).ToList();
        var rounds = await contest.InTurnAsync(() => exact.DecodeAsync(prompts, LongContextSteps), () => half.DecodeAsync(prompts, LongContextSteps));
        double[] rates = [.. rounds.Select(r => prompts.Count * LongContextSteps / Rounds.Median(r, cost => cost.Elapsed.TotalSeconds))];
        contest.Report.Row(
            $"decoding behind {LongContextTokens} tokens, {prompts.Count} at once, tokens/s: fp32 cache against bf16",
            Report.Number(rates[0]), $"bf16: {Report.Number(rates[1])}", Rounds.Ratio(rounds[1], rounds[0], cost => cost.Elapsed.TotalSeconds));
    }

    private static async Task AllocationAsync(Contest contest)
    {
        await using var engine = new TokenwiseEngine(contest.Bundle, CompareOptions.Engine);
        var prompts = Enumerable.Range(0, CompareOptions.Callers[^1]).Select(_ => contest.PlainTokens(CompareOptions.PromptWords)).ToList();
        var rounds = await contest.InTurnAsync(() => engine.DecodeAsync(prompts, AllocationTokens));
        var bytes = Rounds.Median(rounds[0], cost => (double)cost.AllocatedBytes / AllocationTokens);
        contest.Report.Row(
            $"managed bytes a step of the engine's thread, {prompts.Count} at once, {AllocationTokens} steps", Report.Number(bytes), "none", bytes, Goal.AtMost(0));
    }

    private static string Name(TraceLevel level) => level == TraceLevel.Brief ? "brief" : "full";
}
