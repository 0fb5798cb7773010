using System.Security.Cryptography;
using System.Text;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Conversations;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Telemetry;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Answers;

/// <summary>One answer on its way.</summary>
internal sealed class Passage(
    AnswerRequest request, CompletionObserver? observer, Reading reading, HeldText held, FailurePolicy failures, CancellationToken cancellation)
{
    private readonly StringBuilder _passed = new();
    private readonly int _turn = request.Conversation.Turns.Count;
    private Judgment? _judgment;
    private Degradation? _degradation;

    public async Task<HeldAnswer> PassAsync(IAnswer answer)
    {
        try
        {
            await foreach (var piece in answer.ReadAsync(cancellation))
            {
                request.Arrived(piece);
                held.Append(piece);
                while (held.Next(ended: false) is { } window)
                {
                    if (!await MayPassAsync(window)) return Ended(answer, Withhold(WithheldReason.Refused));
                    await LetGoAsync(window);
                }
            }

            while (held.Next(ended: true) is { } window)
            {
                if (!await MayPassAsync(window)) return Ended(answer, Withhold(WithheldReason.Refused));
                var isLast = window.Text.Length == held.Length;
                if (isLast && !await MayPassWholeAsync(window.Text)) return Ended(answer, Withhold(WithheldReason.Refused));
                await LetGoAsync(window);
            }

            return Ended(answer, answer.End!.Reason == FinishReason.Withheld ? Withhold(WithheldReason.Upstream) : null);
        }
        catch (Exception fault) when (_passed.Length + held.Length > 0)
        {
            return Ended(answer, held.Length == 0 ? null : Withhold(fault is JudgingException ? WithheldReason.Unjudged : WithheldReason.Interrupted)) with
            {
                Fault = fault is JudgingException { InnerException: { } inner } ? inner : fault,
            };
        }
    }

    private Task<bool> MayPassAsync(TextWindow window) => JudgedAsync(async () =>
    {
        var judgment = await ResponseJudge.JudgeWindowAsync(window, _turn, reading);
        if (_judgment is null || judgment.IsRefused() || judgment.Scores.Refuse > _judgment.Scores.Refuse) _judgment = judgment;
        return !judgment.IsRefused();
    });

    /// <summary>Judges all of the text with its conversation. Of a text that is refused, nothing is quoted.</summary>
    private Task<bool> MayPassWholeAsync(string rest) => JudgedAsync(async () =>
    {
        var text = _passed + rest;
        if (await ResponseJudge.JudgeWholeAsync(request.Conversation, text, request.Completion.Trace, reading) is not { } judgment) return true;
        _judgment = judgment.IsRefused() ? judgment.WithoutQuotes() : judgment;
        return !judgment.IsRefused();
    });

    private async Task<bool> JudgedAsync(Func<Task<bool>> judge)
    {
        if (_degradation is not null) return true;
        try
        {
            return await judge();
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            _degradation = failures.PassUnjudged(Direction.Output, fault) ?? throw new JudgingException(fault);
            failures.Announce(_degradation, observer);
            return true;
        }
    }

    private async Task LetGoAsync(TextWindow window)
    {
        var text = held.Release(window);
        _passed.Append(text);
        if (observer is null) return;
        observer.Wrote(text);
        if (observer.Drained is { } drained) await drained(cancellation);
    }

    /// <summary>Where nobody reads along, nothing has left: then all is withheld.</summary>
    private WithheldBody Withhold(WithheldReason reason)
    {
        var rest = held.ToString();
        if (observer is null && reason != WithheldReason.Upstream)
        {
            rest = _passed + rest;
            _passed.Clear();
        }

        return new(reason, _passed.Length, rest.Length, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(rest))));
    }

    private HeldAnswer Ended(IAnswer answer, WithheldBody? withheld) => new(
        _passed.ToString(), _judgment is null ? null : reading.Total(_judgment).Relocate(request.Turns), withheld, answer.End, _degradation);

    /// <summary>Tells a fault of judging from one of the answer's source.</summary>
    private sealed class JudgingException(Exception fault) : Exception(null, fault);
}
