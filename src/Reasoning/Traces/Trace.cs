using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Traces;

public enum Risk
{
    None,
    Low,
    Medium,
    High,
}

public enum Verdict
{
    Violated,
    Clear,
    NotApplicable,
}

/// <summary>The calibrated path: answer, answer with care, or refuse.</summary>
public enum Decision
{
    Answer,
    Care,
    Refuse,
}

/// <summary>How much of a trace is written: the decided tokens only, or also the sentences and evidence that explain them.</summary>
public enum TraceLevel
{
    Brief,
    Full,
}

/// <summary>A verbatim span of the judged conversation; <paramref name="Start"/> and <paramref name="End"/> are UTF-16 offsets in that turn.</summary>
public sealed record Evidence(string Text, int Start, int End, int Turn)
{
    /// <summary>The text where it stands in the conversation: in the last turn that has it, at its first place there; null if it is nowhere.</summary>
    public static Evidence? Locate(Conversation conversation, string text)
    {
        for (var turn = conversation.Turns.Count - 1; turn >= 0; turn--)
        {
            var start = conversation.Turns[turn].Content.IndexOf(text, StringComparison.Ordinal);
            if (start >= 0) return new Evidence(text, start, start + text.Length, turn);
        }

        return null;
    }
}

/// <summary>Stage 1. <paramref name="Categories"/> is empty when no category applies (S0).</summary>
public sealed record AssessmentStage(string? Intent, IReadOnlyList<string> Categories, Risk Risk);

/// <summary>One entry of stage 2: what was found for one rule. Evidence is given for violated rules of full traces only.</summary>
/// <param name="Enforcement">What the verdict was for: monitored ones did not decide.</param>
public sealed record RuleCheck(string Rule, Verdict Verdict, Evidence? Evidence, Enforcement Enforcement = Enforcement.Enforce);

/// <summary>Stage 3.</summary>
public sealed record PathStage(Decision Decision, string? Strategy);

/// <summary>A three-stage Ex-Ante trace: assessment, rule verification, calibrated path.</summary>
public sealed record Trace(AssessmentStage Assessment, IReadOnlyList<RuleCheck> RuleChecks, PathStage Path);
