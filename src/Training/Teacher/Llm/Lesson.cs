using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>How asking for one row's trace ended.</summary>
internal enum Outcome
{
    /// <summary>There is a trace; its scores say whether it is kept.</summary>
    Taught,

    /// <summary>No answer of the teacher was a trace of the row.</summary>
    Malformed,

    /// <summary>No answer of the judge was a set of scores.</summary>
    Unjudged,

    /// <summary>The endpoint refused to handle this row, for example by a content filter.</summary>
    Declined,
}

/// <summary>A line of the journal: what was asked (by digest) and what came of it.</summary>
/// <param name="Scores">Null where nobody judged.</param>
internal sealed record Lesson(
    string Digest, string Id, Outcome Outcome, Trace? Trace, JudgeScores? Scores, IReadOnlyList<string> Errors, long InputTokens, long OutputTokens)
{
    public static Lesson With(string digest, TrainingRow row, Trace trace, JudgeScores? scores, TokenCount tokens) =>
        new(digest, row.Id, Outcome.Taught, trace, scores, [], tokens.Input, tokens.Output);

    public static Lesson Without(string digest, TrainingRow row, Outcome outcome, IReadOnlyList<string> errors, TokenCount tokens) =>
        new(digest, row.Id, outcome, null, null, errors, tokens.Input, tokens.Output);

    /// <summary>The trace is good enough. Thresholds are no part of the digest: other ones cost no call.</summary>
    public bool IsKept(JudgeScores least) => Trace is not null && (Scores is null || Scores.Reaches(least));
}
