using System.Runtime.CompilerServices;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Examples;

/// <summary>Runs the examples of a policy: several at a time, told in their order.</summary>
internal sealed class ExampleRun(Guard guard, CompiledPolicy policy, OperatingPoint? point)
{
    private const int Concurrency = 16;

    public async IAsyncEnumerable<ExampleResult> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var running = new Queue<Task<ExampleResult>>();
        foreach (var example in policy.Policy.Examples)
        {
            if (running.Count == Concurrency) yield return await running.Dequeue();
            running.Enqueue(JudgeAsync(example, cancellation));
        }

        while (running.TryDequeue(out var next)) yield return await next;
    }

    private async Task<ExampleResult> JudgeAsync(PolicyExample example, CancellationToken cancellation) => ExampleResult.Of(
        example, await guard.AssessAsync(example.Conversation, TraceLevel.Brief, point: point, policy: policy, cancellation: cancellation));
}
