using SaferGuard.Api.Completions;
using SaferGuard.Api.Conversations;
using SaferGuard.Api.Failures;

namespace SaferGuard.Api.Answers;

/// <summary>
/// Lets an answer through window by window: nothing leaves before the window that it lies in has been judged, and the last window not before the
/// whole has been judged with its conversation. While a window is judged, or the reader is slow, nothing more is read from the source.
/// </summary>
internal sealed class HoldBack(TextWindows windows, WindowOptions options, FailurePolicy failures)
{
    /// <summary>Never throws for what happens to the answer once some of it has left or been judged: see <see cref="HeldAnswer.Fault"/>.</summary>
    public async Task<HeldAnswer> PassAsync(
        IAnswer answer, AnswerRequest request, CompletionObserver? observer, Bench bench, CancellationToken cancellation)
    {
        using var reading = new Reading(bench, options.MaxParallel, cancellation);
        return await new Passage(request, observer, reading, windows.Hold(bench.Policy), failures, cancellation).PassAsync(answer);
    }
}
