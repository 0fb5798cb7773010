using System.Runtime.CompilerServices;
using System.Threading.Channels;
using SaferGuard.Api.Access;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>Something that happened while a completion was made.</summary>
internal abstract record CompletionStep
{
    /// <summary>A stage has been decided.</summary>
    public sealed record Decided(TraceStage Stage) : CompletionStep;

    /// <summary>A sentence or evidence has been written for a stage that was decided before; the stage is whole again.</summary>
    public sealed record Explained(TraceStage Stage) : CompletionStep;

    /// <summary>A piece of the output has been written, and judged if it is an answer.</summary>
    public sealed record Wrote(string Text) : CompletionStep
    {
        /// <summary>Completed when whoever reads the steps asks for the next one.</summary>
        public TaskCompletionSource Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The guard could not do something, and the configuration lets that pass.</summary>
    public sealed record Degraded(Degradation What) : CompletionStep;

    /// <summary>The judgment is stored. Always the last step.</summary>
    public sealed record Completed(StoredJudgment Judgment) : CompletionStep;
}

internal static class CompletionSteps
{
    /// <summary>Makes a completion and tells its steps in order. A fault comes behind the steps that came before it.</summary>
    public static async IAsyncEnumerable<CompletionStep> CompleteInStepsAsync(
        this Judge judge, CompleteRequest request, Caller caller, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // What waits here is the trace and one piece of the answer.
        var channel = Channel.CreateUnbounded<CompletionStep>(new() { SingleReader = true });
        var making = MakeAsync(judge, request, caller, channel.Writer, leaving.Token);
        try
        {
            await foreach (var step in channel.Reader.ReadAllAsync(cancellation))
            {
                if (step is CompletionStep.Degraded degraded) judge.Announce(degraded.What);
                yield return step;
                (step as CompletionStep.Wrote)?.Taken.TrySetResult();
            }
        }
        finally
        {
            await leaving.CancelAsync();
            await making;
        }
    }

    /// <summary>Never throws: a fault completes the channel.</summary>
    private static async Task MakeAsync(
        Judge judge, CompleteRequest request, Caller caller, ChannelWriter<CompletionStep> writer, CancellationToken cancellation)
    {
        var decided = new HashSet<Type>();
        var latest = Task.CompletedTask;
        var observer = new CompletionObserver(
            stage => writer.TryWrite(decided.Add(stage.GetType()) ? new CompletionStep.Decided(stage) : new CompletionStep.Explained(stage)),
            text =>
            {
                var wrote = new CompletionStep.Wrote(text);
                latest = wrote.Taken.Task;
                writer.TryWrite(wrote);
            })
        {
            Degraded = degradation => writer.TryWrite(new CompletionStep.Degraded(degradation)),
            Drained = waiting => latest.WaitAsync(waiting),
        };
        try
        {
            writer.TryWrite(new CompletionStep.Completed(await judge.CompleteAsync(request, caller, observer, cancellation)));
            writer.Complete();
        }
        catch (Exception fault)
        {
            writer.Complete(fault);
        }
    }
}
