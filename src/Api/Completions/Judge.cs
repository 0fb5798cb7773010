using SaferGuard.Api.Access;
using SaferGuard.Api.Cache;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Policies.Shadow;
using SaferGuard.Api.Telemetry;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>Who wants to know about a completion while it is made. Called on any thread, one call after the other; must return quickly.</summary>
internal sealed record CompletionObserver(Action<TraceStage> Decided, Action<string> Wrote);

/// <summary>The one way from a request to a stored judgment, for every surface: judge, answer, store, and only then return.</summary>
internal sealed class Judge(
    Guard guard, CachedGuard judging, PolicyBook policies, ShadowPolicy shadow, JudgmentLog log, GuardTelemetry telemetry, TimeProvider clock)
{
    public async Task<StoredJudgment> AssessAsync(AssessRequest request, Caller caller, CancellationToken cancellation)
    {
        var policy = policies.For(request.Policy, caller);
        var judgment = await JudgeAsync(request, policy, caller, null, cancellation);
        var stored = await StoreAsync(Body(request, policy.Policy, judgment, "assessment", "asm"), caller);
        shadow.Offer(new(stored.Id, caller.Tenant, request.ToConversation(), request.OperatingPoint, policy.Policy, judgment.Trace));
        return stored;
    }

    public Task<StoredJudgment> CompleteAsync(
        CompleteRequest request, Caller caller, CompletionObserver? observer, CancellationToken cancellation) => telemetry.AnswerAsync(guard.Model.Id, request, async span =>
    {
        var policy = policies.For(request.Policy, caller);
        var judgment = await JudgeAsync(request, policy, caller, observer?.Decided, cancellation);
        var (output, reason, usage) = await AnswerAsync(request, policy.Policy, caller, judgment, observer?.Wrote, span, cancellation);
        var body = new CompletionBody(Body(request, policy.Policy, judgment, CompletionBody.Kind, "cmp"), output, reason) { AnswerUsage = usage };
        var stored = await StoreAsync(body, caller);
        span.Completed(body);
        shadow.Offer(new(stored.Id, caller.Tenant, request.ToConversation(), request.OperatingPoint, policy.Policy, judgment.Trace));

        // A refusal is told once it is on record; a model's answer was told while it was written.
        if (reason == FinishReason.Refused) observer?.Wrote(output!.Text);
        return stored;
    });

    private async Task<Judgment> JudgeAsync(
        AssessRequest request, CompiledPolicy policy, Caller caller, Action<TraceStage>? decided, CancellationToken cancellation)
    {
        RequirePoint(request.OperatingPoint);
        var conversation = request.ToConversation();
        try
        {
            var terms = new JudgmentTerms(policy, request.OperatingPoint, caller.Tenant, request.MayBeRemembered);
            var judgment = await telemetry.JudgeAsync(
                guard.Model.Id, policy.Policy, conversation, Direction.Input, decided,
                watching => judging.AssessAsync(conversation, request.Trace, watching, terms, cancellation));
            await caller.ChargeAsync(judgment.Usage.Input + judgment.Usage.Trace);
            return judgment;
        }
        catch (PromptTooLongException tooLong)
        {
            var error = new FieldError(request.TextField(), $"has {tooLong.Tokens} tokens; the model reads at most {tooLong.Limit}");
            throw new ProblemException(Errors.PromptTooLong, "Shorten the text, or judge it in parts.", error);
        }
    }

    private void RequirePoint(OperatingPoint? point)
    {
        if (point is null || guard.OperatingPoints.Contains(point.Value)) return;
        var names = string.Join(", ", guard.OperatingPoints.Select(p => p.ToString().ToLowerInvariant()));
        throw new ProblemException(
            Errors.InvalidRequest, "Name another operating point, or none. Nothing was judged.",
            new FieldError("operating_point", $"must be one that the model '{guard.Model.Id}' has: {names}"));
    }

    private async Task<(OutputBody? Output, FinishReason Reason, AnswerUsageBody? Usage)> AnswerAsync(
        CompleteRequest request, Policy policy, Caller caller, Judgment judgment, Action<string>? wrote, AnswerSpan span, CancellationToken cancellation)
    {
        if (judgment.Trace.Path.Decision == Decision.Refuse)
            return (new(Refusal.Write(judgment.Trace, policy), OutputSource.Policy), FinishReason.Refused, null);
        if (!guard.Model.CanAnswer) return (null, FinishReason.NoAnswerSource, null);
        var answer = await guard.AnswerAsync(request.ToConversation(), judgment, request.ToAnswerOptions(), span.Watch(wrote), cancellation);
        span.Wrote(answer.Tokens);
        await caller.ChargeAsync(answer.Tokens);
        return (
            new(answer.Text, OutputSource.Model), answer.ReachedLimit ? FinishReason.Length : FinishReason.Stop,
            new(guard.Model.Id, judgment.Usage.Input, answer.Tokens));
    }

    private async Task<StoredJudgment> StoreAsync(JudgmentBody body, Caller caller)
    {
        var stored = new StoredJudgment(
            body.Id, body.Object, body.Created, caller.Tenant, caller.Id, WireName.Of(body.Decision), body.Model.Digest, body.Policy.Digest, body.ToJson());
        using (telemetry.Storing()) await log.AppendAsync(stored);
        telemetry.Metrics.Judged(body.Object, body.Decision);
        return stored;
    }

    private JudgmentBody Body(AssessRequest request, Policy policy, Judgment judgment, string kind, string prefix)
    {
        var now = clock.GetUtcNow();
        var (trace, usage, timings) = (judgment.Trace, judgment.Usage, judgment.Timings);
        return new()
        {
            Id = $"{prefix}_{Guid.CreateVersion7(now):N}",
            Object = kind,
            Created = now.ToUnixTimeSeconds(),
            Model = new(guard.Model.Id, guard.Model.Digest),
            Policy = new(policy.Id, policy.Version, policy.Digest),
            OperatingPoint = request.OperatingPoint ?? policy.OperatingPoint,
            Decision = trace.Path.Decision,
            Scores = judgment.Scores,
            Trace = new(trace.Assessment, RuleCheckBody.Of(trace.RuleChecks, judgment.RuleScores), trace.Path),
            Usage = new(usage.Input, usage.Trace, usage.Forced, usage.Cached, usage.Remembered > 0 ? usage.Remembered : null),
            Timings = new(Milliseconds(timings.Queue), Milliseconds(timings.Prefill), Milliseconds(timings.Decode), Milliseconds(timings.Total)),
        };
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
