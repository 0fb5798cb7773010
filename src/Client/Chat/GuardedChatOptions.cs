namespace SaferGuard.Client.Chat;

/// <summary>How a chat is guarded.</summary>
public sealed record GuardedChatOptions
{
    /// <summary>Judges answers too, before they are handed on: those that are streamed in windows.</summary>
    public bool JudgeResponses { get; init; }

    /// <summary>What happens when the service cannot judge.</summary>
    public OnFailure OnFailure { get; init; } = OnFailure.Close;

    /// <summary>Id of the policy to judge by; the key's or the service's own where it is not given.</summary>
    public string? Policy { get; init; }

    /// <summary>Which thresholds decide; the policy's own where it is not given.</summary>
    public OperatingPoint? OperatingPoint { get; init; }

    /// <summary>The system text that asks for care along a strategy.</summary>
    public Func<string, string> CareText { get; init; } = strategy => $"Answer with care: {strategy}";

    /// <summary>What a user is told instead of an answer.</summary>
    public Func<Assessment, string> RefusalText { get; init; } = assessment => assessment.Violations.Any()
        ? $"I can't help with this. It goes against: {string.Join(", ", assessment.Violations.Select(violation => violation.Rule))}."
        : "I can't help with this.";

    /// <summary>How many characters of a streamed answer are held back until they have been judged.</summary>
    public int WindowCharacters { get; init; } = 400;

    /// <summary>How many characters before a window are judged with it, so that nothing is missed on a seam.</summary>
    public int OverlapCharacters { get; init; } = 200;
}

/// <summary>What happens when the service cannot judge.</summary>
public enum OnFailure
{
    /// <summary>The call fails; the inner client is not asked, or its answer not handed on.</summary>
    Close,

    /// <summary>The call goes on unjudged, and says so: <see cref="SaferGuardProperties.Unjudged"/>.</summary>
    Open,
}
