using System.Runtime.ExceptionServices;
using SaferGuard.Api.Access;
using SaferGuard.Api.Answers;
using SaferGuard.Api.Cache;
using SaferGuard.Api.Conversations;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Policies.Shadow;
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
    Guard guard, CachedGuard judging, PolicyBook policies, ShadowPolicy shadow, ConversationJudge conversations, ResponseJudge responses,
    AnswerSources sources, HoldBack hold, FailurePolicy failures, Recorder recorder, GuardTelemetry telemetry, TimeProvider clock)
{
    public async Task<StoredJudgment> AssessAsync(AssessRequest request, Caller caller, CancellationToken cancellation)
    {
        var matter = Open(request, caller);
        if (request.Response is not null) return await recorder.RecordAsync(await AssessResponseAsync(matter, cancellation), caller, null);
        var judged = await JudgeAsync(matter, null, cancellation);
        var stored = await recorder.RecordAsync(Body(matter, judged, "assessment", "asm"), caller, null);
        OfferToShadow(stored, matter, judged);
        return stored;
    }

    public Task<StoredJudgment> CompleteAsync(
        CompleteRequest request, Caller caller, CompletionObserver? observer, CancellationToken cancellation) =>
        telemetry.AnswerAsync(guard.Model.Id, request, span => CompleteAsync(new(Open(request, caller), request, observer, span), cancellation));

    /// <summary>Says in headers or trailers what is let pass; not while a response is being written.</summary>
    public void Announce(Degradation degradation) => failures.Announce(degradation, null);

    private async Task<StoredJudgment> CompleteAsync(Completion completion, CancellationToken cancellation)
    {
        var (matter, request, observer, _) = completion;
        var (source, model) = sources.For(request);
        ConversationJudgment? judged = null;
        Degradation? unjudged = null;
        try
        {
            judged = await JudgeAsync(matter, observer?.Decided, cancellation);
        }
        catch (Exception fault) when (source is { Kind: OutputSource.Upstream })
        {
            unjudged = failures.PassUnjudged(Direction.Input, fault);
            if (unjudged is null) throw;
            failures.Announce(unjudged, observer);
        }

        var body = Body(matter, judged, CompletionBody.Kind, "cmp") with { Degraded = unjudged is null ? null : [unjudged] };
        var stored = judged is not null && judged.Judgment.IsRefused() ? await RefuseAsync(completion, judged.Judgment, body)
            : source is null ? await EndAsync(completion, new CompletionBody(body, null, FinishReason.NoAnswerSource))
            : await AnswerAsync(source, model, completion, judged, body, cancellation);
        if (judged is not null) OfferToShadow(stored, matter, judged);
        return stored;
    }

    /// <exception cref="ProblemException">The request cannot be judged as it asks for.</exception>
    private Matter Open(AssessRequest request, Caller caller)
    {
        var policy = policies.For(request.Policy, caller);
        RequirePoint(request.OperatingPoint);
        var terms = new JudgmentTerms(policy, request.OperatingPoint, caller.Tenant, request.MayBeRemembered);
        return new(request, caller, policy.Policy, request.ToConversation(), new(policy, (conversation, level, decided, cancellation) => telemetry.JudgeAsync(
            guard.Model.Id, policy.Policy, conversation, conversation.Subject == Subject.Response ? Direction.Output : Direction.Input, decided,
            watching => judging.AssessAsync(conversation, level, watching, terms, cancellation))));
    }

    private async Task<ConversationJudgment> JudgeAsync(Matter matter, Action<TraceStage>? decided, CancellationToken cancellation)
    {
        try
        {
            var judged = await conversations.JudgeAsync(matter.Conversation, matter.Request.Trace, decided, matter.Bench, cancellation);
            await matter.Caller.ChargeAsync(Tokens(judged.Judgment));
            CountRefusal(Direction.Input, matter, judged.Judgment);
            return judged;
        }
        catch (PromptTooLongException tooLong)
        {
            throw TooLong(tooLong, matter.Request.TextField());
        }
    }

    private async Task<JudgmentBody> AssessResponseAsync(Matter matter, CancellationToken cancellation)
    {
        try
        {
            var judgment = await responses.JudgeAsync(matter.Conversation, matter.Request.Response!, matter.Request.Trace, matter.Bench, cancellation);
            await matter.Caller.ChargeAsync(Tokens(judgment));
            CountRefusal(Direction.Output, matter, judgment);
            return Body(matter, new(judgment, matter.Conversation, null), "assessment", "asm") with { Subject = Subject.Response };
        }
        catch (PromptTooLongException tooLong)
        {
            throw TooLong(tooLong, "response");
        }
    }

    /// <summary>A refusal is told once it is on record; an answer is told while it is judged.</summary>
    private async Task<StoredJudgment> RefuseAsync(Completion completion, Judgment judgment, JudgmentBody body)
    {
        var refusal = Refusal.Write(judgment.Trace, completion.Matter.Policy);
        var stored = await EndAsync(completion, new CompletionBody(body, new(refusal, OutputSource.Policy), FinishReason.Refused));
        completion.Observer?.Wrote(refusal);
        return stored;
    }

    private async Task<StoredJudgment> AnswerAsync(
        IAnswerSource source, string model, Completion completion, ConversationJudgment? judged, JudgmentBody body, CancellationToken cancellation)
    {
        var (matter, request, observer, span) = completion;
        IReadOnlyList<int> allowed = [.. Enumerable.Range(0, matter.Conversation.Turns.Count).Except(judged?.Turns?.Withheld ?? [])];
        var question = new AnswerRequest(
            request, model, new([.. allowed.Select(turn => matter.Conversation.Turns[turn])]), [.. allowed, matter.Conversation.Turns.Count],
            matter.Policy, judged?.Judgment, Streams: observer is not null, Arrived: span.Watch(null));
        await using var answer = await source.OpenAsync(question, cancellation);
        var held = await hold.PassAsync(answer, question, observer, matter.Bench, cancellation);
        if (held.End?.Usage is { } usage) span.Wrote(usage.OutputTokens);
        await matter.Caller.ChargeAsync((held.End?.Usage?.OutputTokens ?? 0) + (held.Judgment is null ? 0 : Tokens(held.Judgment)));
        if (held.Judgment is not null) CountRefusal(Direction.Output, matter, held.Judgment);

        // A refused answer of which nothing has left is refused in words, as a prompt is.
        var refusal = held is { Withheld: { Reason: WithheldReason.Refused, Start: 0 } } ? Refusal.Write(held.Judgment!.Trace, matter.Policy) : null;
        var stored = await EndAsync(
            completion,
            new CompletionBody(body, refusal is null ? new(held.Text, source.Kind) : new(refusal, OutputSource.Policy), ReasonOf(held))
            {
                OutputJudgment = held.Judgment is null ? null : OutputJudgmentBody.Of(held.Judgment),
                Withheld = held.Withheld,
                AnswerUsage = held.End?.Usage,
                Degraded = held.Degradation is null ? body.Degraded : [.. body.Degraded ?? [], held.Degradation],
            });
        if (held.Fault is not null) ExceptionDispatchInfo.Throw(held.Fault);
        if (refusal is not null) observer?.Wrote(refusal);
        return stored;
    }

    private async Task<StoredJudgment> EndAsync(Completion completion, CompletionBody body)
    {
        var stored = await recorder.RecordAsync(body, completion.Matter.Caller, completion.Observer);
        completion.Span.Completed(body);
        return stored;
    }

    private void CountRefusal(Direction direction, Matter matter, Judgment judgment)
    {
        if (judgment.IsRefused()) telemetry.Metrics.Blocked(direction, Refusal.RulesAgainst(judgment.Trace, matter.Policy));
    }

    private static FinishReason ReasonOf(HeldAnswer held) => held switch
    {
        { Fault: not null } => FinishReason.Interrupted,
        { Withheld: not null } => FinishReason.Withheld,
        _ => held.End!.Reason,
    };

    /// <summary>The shadow judges what decided, so that the two policies read the same.</summary>
    private void OfferToShadow(StoredJudgment stored, Matter matter, ConversationJudgment judged) => shadow.Offer(
        new(stored.Id, matter.Caller.Tenant, judged.Read, matter.Request.OperatingPoint, matter.Policy, judged.Judgment.Trace));

    private static int Tokens(Judgment judgment) => judgment.Usage.Input + judgment.Usage.Trace;

    private static ProblemException TooLong(PromptTooLongException tooLong, string field) => new(
        Errors.PromptTooLong, "Shorten the text, or judge it in parts.",
        new FieldError(field, $"has {tooLong.Tokens} tokens that must be read together; the model reads at most {tooLong.Limit}"));

    private void RequirePoint(OperatingPoint? point)
    {
        if (point is null || guard.OperatingPoints.Contains(point.Value)) return;
        var names = string.Join(", ", guard.OperatingPoints.Select(WireName.Of));
        throw new ProblemException(
            Errors.InvalidRequest, "Name another operating point, or none. Nothing was judged.",
            new FieldError("operating_point", $"must be one that the model '{guard.Model.Id}' has: {names}"));
    }

    private JudgmentBody Body(Matter matter, ConversationJudgment? judged, string kind, string prefix)
    {
        var now = clock.GetUtcNow();
        var judgment = judged?.Judgment;
        return new()
        {
            Id = $"{prefix}_{Guid.CreateVersion7(now):N}",
            Object = kind,
            Created = now.ToUnixTimeSeconds(),
            Model = new(guard.Model.Id, guard.Model.Digest),
            Policy = new(matter.Policy.Id, matter.Policy.Version, matter.Policy.Digest),
            OperatingPoint = matter.Request.OperatingPoint ?? matter.Policy.OperatingPoint,
            Decision = judgment?.Trace.Path.Decision,
            Scores = judgment?.Scores,
            Trace = judgment is null ? null : TraceBody.Of(judgment),
            Turns = judged?.Turns is { } turns ? new(turns.Decides, turns.Withheld, turns.Apart) : null,
            Usage = judgment is null ? null : UsageBody.Of(judgment.Usage),
            Timings = judgment is null ? null : TimingsBody.Of(judgment.Timings),
        };
    }

    /// <summary>A request with all that it is judged by.</summary>
    private sealed record Matter(AssessRequest Request, Caller Caller, Policy Policy, Conversation Conversation, Bench Bench);

    /// <summary>A request that is to be answered, and who follows it.</summary>
    private sealed record Completion(Matter Matter, CompleteRequest Request, CompletionObserver? Observer, AnswerSpan Span);
}
