namespace SaferGuard.Client.Chat;

/// <summary>What a guarded chat adds to <c>AdditionalProperties</c> of responses and updates.</summary>
public static class SaferGuardProperties
{
    /// <summary>Id of the judgment of the prompt: <see cref="ISaferGuardClient.FindTraceAsync"/> finds it.</summary>
    public const string TraceId = "saferguard.trace_id";

    /// <summary>Id of the judgment of the answer, where answers are judged.</summary>
    public const string ResponseTraceId = "saferguard.response_trace_id";

    /// <summary><c>answer</c>, <c>care</c> or <c>refuse</c>: a <see cref="Client.Decision"/>.</summary>
    public const string Decision = "saferguard.decision";

    /// <summary>Ids of the rules that were found violated, where there are any: an array.</summary>
    public const string Rules = "saferguard.rules";

    /// <summary>Why the prompt or the answer went on unjudged. Absent when all was judged.</summary>
    public const string Unjudged = "saferguard.unjudged";
}
