using SaferGuard.Api.Telemetry;

namespace SaferGuard.Api.Failures;

/// <summary>Which part of the guard's work was left out.</summary>
internal enum DegradedPart
{
    /// <summary>The prompt was not judged.</summary>
    Input,

    /// <summary>The answer, or the rest of it, was not judged.</summary>
    Output,

    /// <summary>The judgment is not stored.</summary>
    Store,
}

/// <summary>Something that the guard could not do and that the configuration lets pass.</summary>
/// <param name="Reason">The name of the error that would have been sent otherwise.</param>
internal sealed record Degradation(DegradedPart Part, string Reason)
{
    /// <summary>A dictionary of structured fields (RFC 9651): <c>input=unavailable, store=internal</c>.</summary>
    public const string Header = "x-saferguard-degraded";

    public override string ToString() => $"{Part.ToString().ToLowerInvariant()}={Reason}";

    public static DegradedPart Of(Direction direction) => direction == Direction.Input ? DegradedPart.Input : DegradedPart.Output;
}
