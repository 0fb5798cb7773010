using System.Text;
using System.Text.Json;
using SaferGuard.Api.Failures;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Completions;

/// <summary>One server-sent event. The data is JSON on one line.</summary>
internal sealed record ServerEvent(string Name, byte[] Data)
{
    /// <summary>Completed when it has been sent.</summary>
    public TaskCompletionSource? Sent { get; init; }

    /// <summary>Goes into a header too, if it comes before all others.</summary>
    public Degradation? Degradation { get; init; }
}

/// <summary>A piece of the output.</summary>
internal sealed record OutputEvent(string Text);

/// <summary>The events of one streamed completion, in the order in which they are sent.</summary>
internal sealed class CompletionEvents
{
    /// <summary>Ends every stream that did not fail.</summary>
    public const string Done = "data: [DONE]\n\n";

    private readonly HashSet<string> _decided = [];

    /// <summary>
    /// A stage that has been decided is sent under its own name, as it will stand in the trace. When it comes again with a sentence or
    /// evidence, it is an <c>explanation</c>: the part of the trace that it replaces, <c>{"path": {…}}</c>.
    /// </summary>
    public ServerEvent Decided(TraceStage stage)
    {
        var (name, json) = stage switch
        {
            TraceStage.Assessed assessed => ("assessment", JsonSerializer.SerializeToUtf8Bytes(assessed.Stage, ApiJson.Body.AssessmentStage)),
            TraceStage.RulesChecked rules => ("rule_check", JsonSerializer.SerializeToUtf8Bytes(
                RuleCheckBody.Of(rules.Checks, rules.Scores), ApiJson.Body.IReadOnlyListRuleCheckBody)),
            TraceStage.PathDecided path => ("path", JsonSerializer.SerializeToUtf8Bytes(path.Stage, ApiJson.Body.PathStage)),
            _ => throw new ArgumentOutOfRangeException(nameof(stage)),
        };
        return _decided.Add(name) ? new(name, json) : new("explanation", [.. Encoding.ASCII.GetBytes($"{{\"{name}\":"), .. json, (byte)'}']);
    }

    /// <summary>A piece of the output that has been judged.</summary>
    public static ServerEvent Wrote(string text, TaskCompletionSource sent) =>
        new("output", JsonSerializer.SerializeToUtf8Bytes(new(text), ApiJson.Body.OutputEvent)) { Sent = sent };

    /// <summary>What the guard could not do and the configuration lets pass.</summary>
    public static ServerEvent Degraded(Degradation degradation) =>
        new("degraded", JsonSerializer.SerializeToUtf8Bytes(degradation, ApiJson.Body.Degradation)) { Degradation = degradation };

    /// <summary>The body that is stored.</summary>
    public static ServerEvent Completed(byte[] body) => new("completion", body);

    /// <summary>Ends a stream that failed.</summary>
    public static ServerEvent Failed(byte[] problem) => new("error", problem);
}
