using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Benchmarks.Load;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Ourselves with one thing off.</summary>
internal static class Ablations
{
    private const int SystemWords = 400;
    private const int AllocationTokens = 256;

    public static async Task RunAsync(Contest contest, Guard guard)
    {
        contest.Report.Group($"Ourselves with one thing off, {contest.Name}");
        await ForcedTokensAsync(contest, guard);
        await BatchingAsync(contest, guard);
        await PrefixCacheAsync(contest, guard);
        await AllocationAsync(contest);
    }

    private static async Task ForcedTokensAsync(Contest contest, Guard guard)
    {
        await using var engine = new TokenwiseEngine(contest.Bundle);
        var trace = SequentialTrace.Brief(contest.Tokens);
        foreach (var callers in CompareOptions.Callers)
        {
            var rounds = await contest.InTurnAsync(
                () => contest.JudgeAsync(guard, callers, TraceLevel.Brief),
                () => ClosedLoop.RunAsync(
                    callers, contest.Options.Duration,
                    _ => engine.RunAsync(trace.PromptOf(contest.Tokens.Template.Render(contest.NextPrompt())), trace.Steps)));
            contest.Report.Throughput($"brief, {callers} at once", rounds[0], "one token a pass:", rounds[1]);
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
            contest.Report.Throughput($"{level}, {most} callers", rounds[0], "one sequence a pass:", rounds[1]);
            contest.Report.Throughput(
                $"{level}, {most} callers", rounds[0], "one caller:", rounds[2], contest.Shape == ModelShape.Smol ? Goal.AtLeast(4) : null);
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
                $"brief, {callers} at once, the same {SystemWords} words before each prompt", rounds[0], "no prefix cache:", rounds[1]);
        }
    }

    private static async Task AllocationAsync(Contest contest)
    {
        await using var engine = new TokenwiseEngine(contest.Bundle);
        var prompts = Enumerable.Range(0, CompareOptions.Callers[^1]).Select(_ => contest.PlainTokens(CompareOptions.PromptWords)).ToList();
        var rounds = await contest.InTurnAsync(() => engine.DecodeAsync(prompts, AllocationTokens));
        var bytes = Rounds.Median(rounds[0], cost => (double)cost.AllocatedBytes / AllocationTokens);
        contest.Report.Row(
            $"managed bytes a step of the engine's thread, {prompts.Count} at once, {AllocationTokens} steps", Report.Number(bytes), "none", bytes, Goal.AtMost(0));
    }
}
