using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Calibrated probabilities of violation, from what the model says at the query tokens of the rules that it read.</summary>
internal sealed class RuleScores
{
    private readonly IReadOnlyList<Rule> _rules;
    private readonly double[][] _verdicts;
    private readonly Calibration _calibration;

    /// <param name="rules">As the model has learnt them.</param>
    /// <param name="verdicts">Probabilities by rule and verdict.</param>
    public RuleScores(IReadOnlyList<Rule> rules, double[][] verdicts, StageReadings stages, Calibration calibration)
    {
        (_rules, _verdicts, _calibration) = (rules, verdicts, calibration);
        Readings = [.. rules.Select((r, i) => new RuleReading(r.Id, TokenChoice.LogOdds(verdicts[i][(int)Verdict.Violated])))];
        Violations = new double[rules.Count];
        Stages = stages;
        if (Likeliest(RuleEffect.Refuse) is { } worst)
        {
            Stages = stages with { Verdict = Readings[worst].Violated };
            CarriesRefusal = true;
            Spread(RuleEffect.Refuse, worst, calibration.Checked.Probability(Stages));
        }

        // Rules that ask for care divide a topic, so that their probabilities add up.
        if (Likeliest(RuleEffect.Care) is { } gravest)
            Spread(RuleEffect.Care, gravest, Math.Min(1, With(RuleEffect.Care).Sum(Own)));
    }

    /// <summary>Each rule with the log-odds of its violation before calibration.</summary>
    public IReadOnlyList<RuleReading> Readings { get; }

    /// <summary>The stages with the verdict that the rules gave.</summary>
    public StageReadings Stages { get; }

    /// <summary>By rule.</summary>
    public double[] Violations { get; }

    /// <summary>One of the rules asks for a refusal and so carries its probability.</summary>
    public bool CarriesRefusal { get; }

    /// <summary>The verdict on a rule that is not violated.</summary>
    public Verdict Unviolated(int rule) =>
        _verdicts[rule][(int)Verdict.Clear] >= _verdicts[rule][(int)Verdict.NotApplicable] ? Verdict.Clear : Verdict.NotApplicable;

    /// <summary>The likeliest violation carries the probability of its effect; the others keep their own, up to that.</summary>
    private void Spread(RuleEffect effect, int likeliest, double probability)
    {
        foreach (var rule in With(effect)) Violations[rule] = rule == likeliest ? probability : Math.Min(Own(rule), probability);
    }

    private int? Likeliest(RuleEffect effect) => With(effect).Select(rule => (int?)rule).MaxBy(rule => Own(rule!.Value));

    private IEnumerable<int> With(RuleEffect effect) => Enumerable.Range(0, _rules.Count).Where(rule => _rules[rule].Effect == effect);

    private double Own(int rule) => _calibration.Violation(_verdicts[rule][(int)Verdict.Violated]);
}
