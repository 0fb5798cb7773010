using Microsoft.Extensions.AI;

namespace SaferGuard.Client.Chat;

/// <summary>What the guard found of one call: of its prompt, and of its answer so far.</summary>
internal sealed class Findings
{
    /// <summary>The judgment of the prompt; null when there is none.</summary>
    public Assessment? Prompt { get; set; }

    /// <summary>The latest judgment of the answer; null when there is none.</summary>
    public Assessment? Answer { get; set; }

    /// <summary>Why something went on unjudged; null when nothing did.</summary>
    public string? Unjudged { get; set; }

    /// <summary>What is to be said of this beside a response.</summary>
    public AdditionalPropertiesDictionary Describe(AdditionalPropertiesDictionary? others)
    {
        var described = others ?? [];
        if (Prompt is { } prompt) described[SaferGuardProperties.TraceId] = prompt.Id;
        if (Answer is { } answer) described[SaferGuardProperties.ResponseTraceId] = answer.Id;
        if ((Answer ?? Prompt) is { } latest)
        {
            described[SaferGuardProperties.Decision] = latest.Decision!.Value.ToString().ToLowerInvariant();
            if (latest.Violations.Select(violation => violation.Rule).ToArray() is { Length: > 0 } rules) described[SaferGuardProperties.Rules] = rules;
        }

        if (Unjudged is not null) described[SaferGuardProperties.Unjudged] = Unjudged;
        return described;
    }
}
