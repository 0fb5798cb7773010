namespace SaferGuard.Reasoning.Traces;

/// <summary>Calibrated probabilities of the three decisions; they sum to 1.</summary>
public sealed record DecisionScores(double Answer, double Care, double Refuse);

/// <summary>A stage of a trace that has just been decided. It comes again when its sentence or one of its evidence spans has been written.</summary>
public abstract record TraceStage
{
    public sealed record Assessed(AssessmentStage Stage) : TraceStage;

    public sealed record RulesChecked(IReadOnlyList<RuleCheck> Checks, IReadOnlyList<double> Scores) : TraceStage;

    public sealed record PathDecided(PathStage Stage, DecisionScores Scores) : TraceStage;
}
