using System.Runtime.CompilerServices;
using System.Threading.Channels;
using SaferGuard.Api.Access;
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

    /// <summary>A piece of the output has been written.</summary>
    public sealed record Wrote(string Text) : CompletionStep;

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
        // What waits here is the trace and an answer, both of bounded length.
        var channel = Channel.CreateUnbounded<CompletionStep>(new() { SingleReader = true });
        var making = MakeAsync(judge, request, caller, channel.Writer, leaving.Token);
        try
        {
            await foreach (var step in channel.Reader.ReadAllAsync(cancellation)) yield return step;
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
        var observer = new CompletionObserver(
            stage => writer.TryWrite(decided.Add(stage.GetType()) ? new CompletionStep.Decided(stage) : new CompletionStep.Explained(stage)),
            text => writer.TryWrite(new CompletionStep.Wrote(text)));
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
