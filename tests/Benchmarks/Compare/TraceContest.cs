using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Complete traces: ours, and the peer's, token by token within a grammar.</summary>
internal static class TraceContest
{
    private const int PeerPrompts = 64;

    public static async Task RunAsync(Contest contest, Guard guard, IReadOnlyList<TraceLevel> levels)
    {
        foreach (var level in levels)
        {
            var trace = await PeerTraceAsync(contest, guard, level);
            var prompts = Enumerable.Range(0, PeerPrompts)
                .Select(_ => trace.PromptOf(contest.Tokens.Template.Render(contest.NextPrompt()))).ToList();
            contest.Report.Group($"{level} traces, {contest.Name}: llama.cpp decodes {trace.Steps.Count} tokens behind {prompts[0].Length}");
            foreach (var callers in CompareOptions.Callers)
            {
                Func<Task<Round>> Peer(string? grammar) =>
                    () => contest.Peer.AnswerAsync(prompts, callers, contest.Options.Duration, trace.Steps.Count, grammar);
                List<Func<Task<Round>>> contestants = [() => contest.JudgeAsync(guard, callers, level), Peer(trace.Grammar)];
                if (level == TraceLevel.Brief) contestants.Add(Peer(grammar: null)); // what the grammar costs is a matter of tokens alone
                var rounds = await contest.InTurnAsync([.. contestants]);
                var name = $"{callers} caller{(callers == 1 ? "" : "s")}";
                contest.Report.Throughput(name, rounds[0], "llama.cpp", rounds[1], contest.IsGoal && callers == 16 ? Goal.AtLeast(5) : null);
                contest.Report.Latency(name, rounds[0], "llama.cpp", rounds[1], contest.IsGoal && callers == 1 ? Goal.AtLeast(3) : null);
                if (level == TraceLevel.Brief) contest.Report.Throughput($"{name}, llama.cpp unbound by a grammar", rounds[0], "llama.cpp", rounds[2]);
            }
        }
    }

    /// <summary>The peer's sentences and evidence are as long as ours.</summary>
    private static async Task<SequentialTrace> PeerTraceAsync(Contest contest, Guard guard, TraceLevel level)
    {
        if (level == TraceLevel.Brief) return SequentialTrace.Brief(contest.Tokens);
        var judgment = await guard.AssessAsync(contest.NextPrompt(), level);
        var evidence = judgment.Trace.RuleChecks.Select(check => check.Evidence).First(found => found is not null)!;
        var span = contest.Tokens.Template.Render(Conversation.OfPrompt(evidence.Text)).Length - 1; // without the role's marker
        return SequentialTrace.Full(contest.Tokens, span);
    }
}
