using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SaferGuard.Client.Chat;

/// <summary>
/// A chat client that has each conversation judged before it asks the inner one. What is refused never reaches the inner client; what needs care
/// reaches it with the strategy as system text. A refusal is a response that ends with <see cref="ChatFinishReason.ContentFilter"/>.
/// </summary>
public sealed class GuardedChatClient(IChatClient inner, ISaferGuardClient guard, GuardedChatOptions? options = null) : DelegatingChatClient(inner)
{
    private readonly GuardedChatOptions _options = options ?? new();

    /// <inheritdoc/>
    /// <exception cref="SaferGuardException">The service did not judge, and failures are to close.</exception>
    /// <exception cref="NotSupportedException">There is content that cannot be judged, and failures are to close.</exception>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var findings = new Findings();
        var conversation = new ChatConversation(messages, options?.Instructions);
        if (await JudgePromptAsync(conversation, findings, cancellationToken).ConfigureAwait(false) is not { } allowed) return Refused(findings.Prompt!);

        var response = await base.GetResponseAsync(allowed, options, cancellationToken).ConfigureAwait(false);
        if (_options.JudgeResponses)
        {
            var contents = response.Messages.SelectMany(message => message.Contents).ToList();
            if (!await AllowsAsync(conversation, contents, ChatConversation.TextOf(contents), findings, cancellationToken).ConfigureAwait(false))
                return Refused(findings.Answer!);
        }

        response.AdditionalProperties = findings.Describe(response.AdditionalProperties);
        return response;

        ChatResponse Refused(Assessment assessment) => new(new ChatMessage(ChatRole.Assistant, _options.RefusalText(assessment)))
        {
            ResponseId = assessment.Id,
            CreatedAt = assessment.Created,
            FinishReason = ChatFinishReason.ContentFilter,
            AdditionalProperties = findings.Describe(null),
        };
    }

    /// <inheritdoc/>
    /// <exception cref="SaferGuardException">The service did not judge, and failures are to close.</exception>
    /// <exception cref="NotSupportedException">There is content that cannot be judged, and failures are to close.</exception>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var findings = new Findings();
        var conversation = new ChatConversation(messages, options?.Instructions);
        if (await JudgePromptAsync(conversation, findings, cancellationToken).ConfigureAwait(false) is not { } allowed)
        {
            yield return Refused(findings.Prompt!);
            yield break;
        }

        var held = new HeldUpdates(_options.JudgeResponses ? _options.WindowCharacters : 0, _options.OverlapCharacters);
        var updates = base.GetStreamingResponseAsync(allowed, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var closing = updates.ConfigureAwait(false);
        for (var goesOn = true; goesOn;)
        {
            goesOn = await updates.MoveNextAsync().ConfigureAwait(false);
            if (goesOn) held.Add(updates.Current);
            if (goesOn && !held.IsDue) continue;
            if (_options.JudgeResponses && !await AllowsAsync(conversation, held.Contents, held.Text, findings, cancellationToken).ConfigureAwait(false))
            {
                yield return Refused(findings.Answer!);
                yield break;
            }

            foreach (var update in held.Release())
            {
                update.AdditionalProperties = findings.Describe(update.AdditionalProperties);
                yield return update;
            }
        }

        ChatResponseUpdate Refused(Assessment assessment) => new(ChatRole.Assistant, _options.RefusalText(assessment))
        {
            ResponseId = assessment.Id,
            CreatedAt = assessment.Created,
            FinishReason = ChatFinishReason.ContentFilter,
            AdditionalProperties = findings.Describe(null),
        };
    }

    /// <summary>The messages that the inner client may be asked; null when the prompt is refused.</summary>
    private async Task<IReadOnlyList<ChatMessage>?> JudgePromptAsync(ChatConversation conversation, Findings findings, CancellationToken cancellation)
    {
        RequireJudgeable(conversation.Unjudgeable, findings);
        findings.Prompt = await AssessAsync(Request(conversation, null), findings, cancellation).ConfigureAwait(false);
        if (findings.Prompt is not { } judged) return conversation.Forward([], null);
        if (judged.Decision == Decision.Refuse) return null;
        var care = judged.Decision == Decision.Care && judged.Trace?.Path.Strategy is { } strategy ? _options.CareText(strategy) : null;
        return conversation.Forward(judged.Turns?.Withheld ?? [], care);
    }

    /// <summary>Whether an answer, or the next piece of it, may be handed on.</summary>
    private async Task<bool> AllowsAsync(
        ChatConversation conversation, IEnumerable<AIContent> contents, string text, Findings findings, CancellationToken cancellation)
    {
        RequireJudgeable(contents.FirstOrDefault(content => ChatConversation.Text(content) is null)?.GetType().Name, findings);
        if (string.IsNullOrWhiteSpace(text)) return true;
        var judged = await AssessAsync(Request(conversation, text), findings, cancellation).ConfigureAwait(false);
        findings.Answer = judged ?? findings.Answer;
        return judged?.Decision != Decision.Refuse;
    }

    private AssessRequest Request(ChatConversation conversation, string? answer) =>
        new() { Messages = conversation.Turns, Response = answer, Policy = _options.Policy, OperatingPoint = _options.OperatingPoint };

    /// <summary>Null when the service cannot judge and that is to be let pass.</summary>
    private async Task<Assessment?> AssessAsync(AssessRequest request, Findings findings, CancellationToken cancellation)
    {
        try
        {
            var judged = await guard.AssessAsync(request, cancellation).ConfigureAwait(false);
            return judged.Decision is not null ? judged : throw new SaferGuardUnavailableException("SaferGuard did not decide.");
        }
        catch (SaferGuardException fault)
            when (_options.OnFailure == OnFailure.Open && fault is SaferGuardUnavailableException or SaferGuardRateLimitException)
        {
            findings.Unjudged = fault.Message;
            return null;
        }
    }

    private void RequireJudgeable(string? unjudgeable, Findings findings)
    {
        if (unjudgeable is null) return;
        var reason = $"{unjudgeable} cannot be judged.";
        if (_options.OnFailure == OnFailure.Close) throw new NotSupportedException(reason + " Only text, calls and results of functions can.");
        findings.Unjudged = reason;
    }
}
