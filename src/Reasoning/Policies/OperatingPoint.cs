namespace SaferGuard.Reasoning.Policies;

/// <summary>How many false alarms are taken for how little missed harm. The thresholds of each point travel with the model bundle.</summary>
public enum OperatingPoint
{
    /// <summary>Refuses more: little harm is missed, more harmless requests are refused.</summary>
    Strict,

    /// <summary>Every bundle has it.</summary>
    Balanced,

    /// <summary>Refuses less: few harmless requests are refused, more harm is missed.</summary>
    Permissive,
}
