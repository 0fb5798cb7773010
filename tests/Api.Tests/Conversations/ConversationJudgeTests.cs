using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Conversations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Tests.Conversations;

/// <summary>Which parts are judged, and what follows from them: a toy judge refuses what a test says.</summary>
public sealed class ConversationJudgeTests(Service service) : IClassFixture<Service>
{
    private readonly List<string> _read = [];

    private CompiledPolicy Policy => service.Services.GetRequiredService<Guard>().Compiled;

    [Fact]
    public async Task Turns_that_are_refused_only_together_do_not_stand_against_a_request_either()
    {
        var judged = await JudgeAsync(read => read.Contains("a1 a2", StringComparison.Ordinal), "a1", "A", "a2", "A", "tea");

        Assert.False(judged.Judgment.IsRefused());
        Assert.Equal([0, 1, 2, 3], judged.Turns!.Withheld);
        Assert.Equal("tea", _read[^1]);
    }

    [Fact]
    public async Task A_request_that_is_refused_only_with_its_history_is_refused()
    {
        var judged = await JudgeAsync(read => read.Contains("a1", StringComparison.Ordinal) && read.Contains("more", StringComparison.Ordinal), "a1", "A", "more");

        Assert.True(judged.Judgment.IsRefused());
        Assert.Equal(2, judged.Turns!.Decides);
        Assert.Empty(judged.Turns.Withheld);
    }

    [Fact]
    public async Task Every_turn_is_judged_by_itself_and_the_request_with_its_history()
    {
        await JudgeAsync(_ => false, "a1", "A", "a2", "A", "tea");

        Assert.Equal(["A", "A", "a1", "a1 A a2 A tea", "a2", "tea"], _read.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_lone_turn_is_judged_once()
    {
        await JudgeAsync(_ => false, "tea");

        Assert.Equal(["tea"], _read);
    }

    [Fact]
    public async Task No_more_than_so_many_judgments_of_one_conversation_run_at_once()
    {
        var (running, most) = (0, 0);
        var judge = service.Services.GetRequiredService<ConversationJudge>();
        var turns = Enumerable.Range(0, 100).Select(turn => new Turn(turn % 2 == 0 ? Role.User : Role.Assistant, "tea")).ToList();

        await judge.JudgeAsync(new(turns), TraceLevel.Brief, null, new(Policy, async (_, _, _, cancellation) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Delay(1, cancellation);
            Interlocked.Decrement(ref running);
            return await ToyJudgment.AnswerAsync();
        }), TestContext.Current.CancellationToken);

        Assert.InRange(most, 2, new WindowOptions().MaxParallel);
    }

    /// <param name="turns">Of the assistant if they are <c>A</c>, else of the user.</param>
    private async Task<ConversationJudgment> JudgeAsync(Func<string, bool> refuses, params string[] turns)
    {
        var judge = service.Services.GetRequiredService<ConversationJudge>();
        var conversation = new Conversation([.. turns.Select(text => new Turn(text == "A" ? Role.Assistant : Role.User, text))]);
        return await judge.JudgeAsync(conversation, TraceLevel.Brief, null, new(Policy, (part, _, _, _) =>
        {
            var read = string.Join(' ', part.Turns.Select(turn => turn.Content));
            lock (_read) _read.Add(read);
            return refuses(read.Replace(" A", "", StringComparison.Ordinal)) ? ToyJudgment.RefuseAsync() : ToyJudgment.AnswerAsync();
        }), TestContext.Current.CancellationToken);
    }
}

/// <summary>Judgments without a model.</summary>
internal static class ToyJudgment
{
    public static Task<Judgment> AnswerAsync() => Task.FromResult(Of(Decision.Answer));

    public static Task<Judgment> RefuseAsync() => Task.FromResult(Of(Decision.Refuse));

    private static Judgment Of(Decision decision) => new(
        new(new(null, [], Risk.None), [], new(decision, null)),
        decision == Decision.Refuse ? new(0, 0, 1) : new(1, 0, 0), [], new(1, 1, 1, 0, 1), new(default, default, default, default));
}
