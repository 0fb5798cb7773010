namespace SaferGuard.Client;

/// <summary>Something that happened while a completion was made.</summary>
public abstract record CompletionUpdate
{
    private CompletionUpdate()
    {
    }

    /// <summary>Stage 1 was decided, or comes again with its sentence.</summary>
    public sealed record Assessed(AssessmentStage Stage) : CompletionUpdate;

    /// <summary>Stage 2 was decided, or comes again with a piece of evidence.</summary>
    public sealed record RulesChecked(IReadOnlyList<RuleCheck> Checks) : CompletionUpdate;

    /// <summary>Stage 3 was decided, or comes again with its sentence.</summary>
    public sealed record PathDecided(PathStage Stage) : CompletionUpdate;

    /// <summary>A piece of the output.</summary>
    public sealed record Wrote(string Text) : CompletionUpdate;

    /// <summary>The guard could not do something, and the service lets that pass.</summary>
    public sealed record Degraded(Degradation What) : CompletionUpdate;

    /// <summary>The whole completion, now stored. Always the last.</summary>
    public sealed record Completed(Completion Completion) : CompletionUpdate;
}
