using System.Runtime.ExceptionServices;
using SaferGuard.Api.Access;
using SaferGuard.Api.Answers;
using SaferGuard.Api.Conversations;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Telemetry;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>Who wants to know about a completion while it is made. Called on any thread, one call after the other; must return quickly.</summary>
/// <param name="Wrote">Gets the answer piece by piece, when each has been judged.</param>
internal sealed record CompletionObserver(Action<TraceStage> Decided, Action<string> Wrote)
{
    /// <summary>Gets what is let pass although the guard failed. Without it, a header says so.</summary>
    public Action<Degradation>? Degraded { get; init; }

    /// <summary>Waits until what was written has been taken, so that no more is read from the source of an answer than its reader takes.</summary>
    public Func<CancellationToken, Task>? Drained { get; init; }
}

/// <summary>The one way from a request to a stored judgment, for every surface: judge, answer, store, and only then return.</summary>
internal sealed class Judge(
    Guard guard, ConversationJudge conversations, ResponseJudge responses, AnswerSources sources, HoldBack hold, FailurePolicy failures,
    Recorder recorder, GuardMetrics metrics, TimeProvider clock)
{
    public async Task<StoredJudgment> AssessAsync(AssessRequest request, Caller caller, CancellationToken cancellation)
    {
        if (request.Response is not { } response)
        {
            var judged = await JudgeAsync(request, caller, null, cancellation);
            return await recorder.RecordAsync(Body(request, judged, "assessment", "asm"), caller, null);
        }

        RequirePoint(request.OperatingPoint);
        try
        {
            var judgment = await responses.JudgeAsync(request.ToConversation(), response, request.Trace, Once(request), cancellation);
            await caller.ChargeAsync(Tokens(judgment));
            return await recorder.RecordAsync(Body(request, new(judgment, null), "assessment", "asm") with { Subject = Subject.Response }, caller, null);
        }
        catch (PromptTooLongException tooLong)
        {
            throw TooLong(tooLong, "response");
        }
    }

    public async Task<StoredJudgment> CompleteAsync(CompleteRequest request, Caller caller, CompletionObserver? observer, CancellationToken cancellation)
    {
        var source = sources.For(request);
        ConversationJudgment? judged = null;
        Degradation? unjudged = null;
        try
        {
            judged = await JudgeAsync(request, caller, observer?.Decided, cancellation);
        }
        catch (Exception fault) when (source is { Kind: OutputSource.Upstream })
        {
            unjudged = failures.PassUnjudged(Direction.Input, fault);
            if (unjudged is null) throw;
            failures.Announce(unjudged, observer);
        }

        var body = Body(request, judged, "completion", "cmp") with { Degraded = unjudged is null ? null : [unjudged] };
        if (judged?.Judgment.IsRefused() == true)
        {
            var refusal = Refusal.Write(judged.Judgment.Trace, guard.Policy);
            var stored = await recorder.RecordAsync(new CompletionBody(body, new(refusal, OutputSource.Policy), FinishReason.Refused), caller, observer);
            // A refusal is told once it is on record; an answer was told while it was judged.
            observer?.Wrote(refusal);
            return stored;
        }

        return source is null
            ? await recorder.RecordAsync(new CompletionBody(body, null, FinishReason.NoAnswerSource), caller, observer)
            : await AnswerAsync(source, request, caller, judged, body, observer, cancellation);
    }

    private async Task<StoredJudgment> AnswerAsync(
        IAnswerSource source, CompleteRequest request, Caller caller, ConversationJudgment? judged, JudgmentBody body, CompletionObserver? observer,
        CancellationToken cancellation)
    {
        var conversation = request.ToConversation();
        IReadOnlyList<int> allowed = [.. Enumerable.Range(0, conversation.Turns.Count).Except(judged?.Turns?.Withheld ?? [])];
        var question = new AnswerRequest(
            request, new([.. allowed.Select(turn => conversation.Turns[turn])]), [.. allowed, conversation.Turns.Count], judged?.Judgment, observer is not null);
        await using var answer = await source.OpenAsync(question, cancellation);
        var held = await hold.PassAsync(answer, question, observer, Once(request), cancellation);
        await caller.ChargeAsync((held.End?.Usage?.OutputTokens ?? 0) + (held.Judgment is null ? 0 : Tokens(held.Judgment)));

        // A refused answer of which nothing has left is refused in words, as a prompt is.
        var refusal = held is { Withheld.Reason: WithheldReason.Refused, Withheld.Start: 0 } ? Refusal.Write(held.Judgment!.Trace, guard.Policy) : null;
        if (held.Withheld?.Reason == WithheldReason.Refused) metrics.Blocked(Direction.Output, Refusal.RulesAgainst(held.Judgment!.Trace, guard.Policy));
        var stored = await recorder.RecordAsync(
            new CompletionBody(body, refusal is null ? new(held.Text, source.Kind) : new(refusal, OutputSource.Policy), ReasonOf(held))
            {
                OutputJudgment = held.Judgment is null ? null : OutputJudgmentBody.Of(held.Judgment),
                Withheld = held.Withheld,
                AnswerUsage = held.End?.Usage,
                Degraded = held.Degradation is null ? body.Degraded : [.. body.Degraded ?? [], held.Degradation],
            },
            caller, observer);
        if (held.Fault is not null) ExceptionDispatchInfo.Throw(held.Fault);
        if (refusal is not null) observer?.Wrote(refusal);
        return stored;
    }

    private static FinishReason ReasonOf(HeldAnswer held) => held switch
    {
        { Fault: not null } => FinishReason.Interrupted,
        { Withheld: not null } => FinishReason.Withheld,
        _ => held.End!.Reason,
    };

    private async Task<ConversationJudgment> JudgeAsync(AssessRequest request, Caller caller, Action<TraceStage>? decided, CancellationToken cancellation)
    {
        RequirePoint(request.OperatingPoint);
        try
        {
            var judged = await conversations.JudgeAsync(request.ToConversation(), request.Trace, decided, Once(request), cancellation);
            await caller.ChargeAsync(Tokens(judged.Judgment));
            return judged;
        }
        catch (PromptTooLongException tooLong)
        {
            throw TooLong(tooLong, request.TextField());
        }
    }

    private static int Tokens(Judgment judgment) => judgment.Usage.Input + judgment.Usage.Trace;

    private JudgeOnce Once(AssessRequest request) =>
        (conversation, level, decided, cancellation) => guard.AssessAsync(conversation, level, decided, request.OperatingPoint, cancellation);

    private static ProblemException TooLong(PromptTooLongException tooLong, string field) => new(
        Errors.PromptTooLong, "Shorten the text, or judge it in parts.",
        new FieldError(field, $"has {tooLong.Tokens} tokens that must be read together; the model reads at most {tooLong.Limit}"));

    private void RequirePoint(OperatingPoint? point)
    {
        if (point is null || guard.OperatingPoints.Contains(point.Value)) return;
        var names = string.Join(", ", guard.OperatingPoints.Select(p => p.ToString().ToLowerInvariant()));
        throw new ProblemException(
            Errors.InvalidRequest, "Name another operating point, or none. Nothing was judged.",
            new FieldError("operating_point", $"must be one that the model '{guard.Model.Id}' has: {names}"));
    }

    private JudgmentBody Body(AssessRequest request, ConversationJudgment? judged, string kind, string prefix)
    {
        var now = clock.GetUtcNow();
        var judgment = judged?.Judgment;
        return new()
        {
            Id = $"{prefix}_{Guid.CreateVersion7(now):N}",
            Object = kind,
            Created = now.ToUnixTimeSeconds(),
            Model = new(guard.Model.Id, guard.Model.Digest),
            Policy = new(guard.Policy.Id, guard.Policy.Version, guard.Policy.Digest),
            OperatingPoint = request.OperatingPoint ?? guard.Policy.OperatingPoint,
            Decision = judgment?.Trace.Path.Decision,
            Scores = judgment?.Scores,
            Trace = judgment is null ? null : TraceBody.Of(judgment),
            Turns = judged?.Turns is { } turns ? new(turns.Decides, turns.Withheld, turns.Apart) : null,
            Usage = judgment is null ? null : UsageBody.Of(judgment.Usage),
            Timings = judgment is null ? null : TimingsBody.Of(judgment.Timings),
        };
    }
}
