using System.Runtime.CompilerServices;
using SaferGuard.Api.Conversations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Examples;

/// <summary>Runs the examples of a policy as the service would judge them: several at a time, told in their order.</summary>
internal sealed class ExampleRun
{
    private const int Concurrency = 16;

    private readonly IReadOnlyList<PolicyExample> _examples;
    private readonly Bench _bench;
    private readonly ConversationJudge _conversations;
    private readonly ResponseJudge _responses;

    /// <param name="point">Null for the policy's.</param>
    public ExampleRun(Guard guard, CompiledPolicy policy, OperatingPoint? point, WindowOptions options)
    {
        _examples = policy.Policy.Examples;
        _bench = new(policy, (conversation, level, decided, cancellation) => guard.AssessAsync(conversation, level, decided, point, policy, cancellation));
        var windows = new TextWindows(options);
        (_conversations, _responses) = (new(windows, options), new(windows, options));
    }

    /// <exception cref="PromptTooLongException">The example that would come next has more tokens than the service takes.</exception>
    public async IAsyncEnumerable<ExampleResult> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var running = new Queue<Task<ExampleResult>>();
        foreach (var example in _examples)
        {
            if (running.Count == Concurrency) yield return await running.Dequeue();
            running.Enqueue(JudgeAsync(example, cancellation));
        }

        while (running.TryDequeue(out var next)) yield return await next;
    }

    private async Task<ExampleResult> JudgeAsync(PolicyExample example, CancellationToken cancellation)
    {
        var conversation = example.Conversation;
        if (conversation.Subject == Subject.Prompt)
            return ExampleResult.Of(example, (await _conversations.JudgeAsync(conversation, TraceLevel.Brief, null, _bench, cancellation)).Judgment);
        var question = new Conversation([.. conversation.Turns.SkipLast(1)]);
        return ExampleResult.Of(example, await _responses.JudgeAsync(question, conversation.Turns[^1].Content, TraceLevel.Brief, _bench, cancellation));
    }
}
