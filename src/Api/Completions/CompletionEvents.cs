using System.Text;
using System.Text.Json;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>A piece of the output.</summary>
internal sealed record OutputEvent(string Text);

/// <summary>The server-sent events of a streamed completion.</summary>
internal static class CompletionEvents
{
    /// <summary>
    /// A stage that has been decided is sent under its own name, as it will stand in the trace. When it comes again with a sentence or
    /// evidence, it is an <c>explanation</c>: the part of the trace that it replaces, <c>{"path": {…}}</c>.
    /// </summary>
    public static ServerEvent Of(CompletionStep step) => step switch
    {
        CompletionStep.Decided decided => Part(decided.Stage),
        CompletionStep.Explained explained => Explanation(Part(explained.Stage)),
        CompletionStep.Wrote wrote => new("output", JsonSerializer.SerializeToUtf8Bytes(new(wrote.Text), ApiJson.Body.OutputEvent)),
        CompletionStep.Degraded degraded => new("degraded", JsonSerializer.SerializeToUtf8Bytes(degraded.What, ApiJson.Body.Degradation)),
        CompletionStep.Completed completed => WithheldProblem.Of(completed.Judgment) is { } cut ? throw cut : new("completion", completed.Judgment.Body),
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    /// <summary>Ends a stream that failed.</summary>
    public static ServerEvent Failed(HttpContext http, ProblemException problem) => new("error", ProblemWriter.Body(http, problem));

    private static ServerEvent Part(TraceStage stage) => stage switch
    {
        TraceStage.Assessed assessed => new("assessment", JsonSerializer.SerializeToUtf8Bytes(assessed.Stage, ApiJson.Body.AssessmentStage)),
        TraceStage.RulesChecked rules => new("rule_check", JsonSerializer.SerializeToUtf8Bytes(
            RuleCheckBody.Of(rules.Checks, rules.Scores), ApiJson.Body.IReadOnlyListRuleCheckBody)),
        TraceStage.PathDecided path => new("path", JsonSerializer.SerializeToUtf8Bytes(path.Stage, ApiJson.Body.PathStage)),
        _ => throw new ArgumentOutOfRangeException(nameof(stage)),
    };

    private static ServerEvent Explanation(ServerEvent part) =>
        new("explanation", [.. Encoding.ASCII.GetBytes($"{{\"{part.Name}\":"), .. part.Data, (byte)'}']);
}
