using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace SaferGuard.Api.Conversations;

/// <summary>The judgments that one conversation takes: a bounded number at a time, and what all of them cost together.</summary>
internal sealed class Reading(Bench bench, int maxParallel, CancellationToken cancellation) : IDisposable
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Lock _counting = new();
    private readonly SemaphoreSlim _slots = new(maxParallel);
    private TokenUsage _usage = new(0, 0, 0, 0, 0);

    public CompiledPolicy Policy => bench.Policy;

    public async Task<Judgment> JudgeAsync(Conversation conversation, TraceLevel level, Action<TraceStage>? decided = null)
    {
        await _slots.WaitAsync(cancellation);
        try
        {
            var judgment = await bench.Once(conversation, level, decided, cancellation);
            Count(judgment.Usage);
            return judgment;
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Judges a part of a conversation; evidence and stages tell where they stand in the whole.</summary>
    public async Task<Judgment> JudgePartAsync(Part part, TraceLevel level, Action<TraceStage>? decided = null)
    {
        var told = decided is null ? null : new Action<TraceStage>(stage => decided(stage.Relocate(part.Turns, part.Offset)));
        return (await JudgeAsync(part.Conversation, level, told)).Relocate(part.Turns, part.Offset);
    }

    /// <summary>A judgment with the cost of all that led to it.</summary>
    public Judgment Total(Judgment judgment)
    {
        lock (_counting)
            return judgment with
            {
                Usage = _usage,
                Timings = judgment.Timings with { Total = Stopwatch.GetElapsedTime(_started) },
            };
    }

    public void Dispose() => _slots.Dispose();

    private void Count(TokenUsage usage)
    {
        lock (_counting)
            _usage = new(
                _usage.Input + usage.Input, _usage.Trace + usage.Trace, _usage.Forced + usage.Forced, _usage.Cached + usage.Cached,
                _usage.Passes + usage.Passes, _usage.Remembered + usage.Remembered);
    }
}

/// <summary>A part of a conversation that is judged by itself.</summary>
/// <param name="Turns">Where its turns stand in the whole.</param>
/// <param name="Offset">Where its text begins, if it is a window of one turn.</param>
internal sealed record Part(Conversation Conversation, IReadOnlyList<int> Turns, int Offset = 0);

internal static class Decisions
{
    public static bool IsRefused(this Judgment judgment) => judgment.Trace.Path.Decision == Decision.Refuse;

    /// <summary>The same judgment without evidence and sentences, so that it says nothing of a text that must not be seen.</summary>
    public static Judgment WithoutQuotes(this Judgment judgment) => judgment with
    {
        Trace = new(
            judgment.Trace.Assessment with { Intent = null },
            [.. judgment.Trace.RuleChecks.Select(check => check with { Evidence = null })],
            judgment.Trace.Path with { Strategy = null }),
    };
}
