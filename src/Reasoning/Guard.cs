using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning;

/// <summary>Judges conversations with one model bundle. Safe for concurrent callers, which are batched together.</summary>
public sealed class Guard : IAsyncDisposable
{
    public BundleManifest Model => throw new NotImplementedException();

    public Policy Policy => throw new NotImplementedException();

    /// <summary>The most tokens that a conversation may have.</summary>
    public int MaxPromptTokens => throw new NotImplementedException();

    /// <summary>False when the engine has stopped on a fault: every judgment then throws <see cref="GuardUnavailableException"/>.</summary>
    public bool IsHealthy => throw new NotImplementedException();

    /// <summary>Loads and verifies a bundle and starts its engine.</summary>
    /// <exception cref="InvalidDataException">The bundle is incomplete, changed or not supported.</exception>
    public static Guard Load(string bundleFolder) => throw new NotImplementedException();

    /// <param name="progress">Called with the stages as they are decided, on an engine thread; must return quickly.</param>
    /// <exception cref="PromptTooLongException">The conversation has more than <see cref="MaxPromptTokens"/> tokens.</exception>
    /// <exception cref="GuardUnavailableException">The queue is full or the engine has stopped.</exception>
    public Task<Judgment> AssessAsync(
        Conversation conversation, TraceLevel level, Action<TraceStage>? progress = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Writes an answer with the model itself. Only for bundles whose manifest says <see cref="BundleManifest.CanAnswer"/>.</summary>
    /// <param name="onText">Called with each piece of text as it is decoded.</param>
    public Task<ModelAnswer> AnswerAsync(
        Conversation conversation, Judgment judgment, AnswerOptions options, Action<string>? onText = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>A stage of a trace that has just been decided. Sentences and evidence follow when they are written, in a later stage of the same kind.</summary>
public abstract record TraceStage
{
    public sealed record Assessed(AssessmentStage Stage) : TraceStage;

    public sealed record RulesChecked(IReadOnlyList<RuleCheck> Checks, IReadOnlyList<double> Scores) : TraceStage;

    public sealed record PathDecided(PathStage Stage, DecisionScores Scores) : TraceStage;
}

public sealed class PromptTooLongException(int tokens, int limit)
    : Exception($"The conversation has {tokens} tokens; the limit is {limit}.")
{
    public int Tokens => tokens;

    public int Limit => limit;
}

public sealed class GuardUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
