using SaferGuard.Training.Model;
using SaferGuard.Training.Optimisation;
using SaferGuard.Training.Runs;

namespace SaferGuard.Training.Preference;

/// <summary>How traces are sampled.</summary>
internal sealed record RollOutOptions
{
    public int Seed { get; init; } = 1;

    /// <summary>Rows whose traces are sampled, as many of each label as there are.</summary>
    public int Prompts { get; init; } = 6000;

    /// <summary>Traces of one row.</summary>
    public int Traces { get; init; } = 8;

    /// <summary>Of what is chosen at query tokens.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Of the sentences: lower, or the tail of the vocabulary makes them gibberish that nothing is learnt from.</summary>
    public double TextTemperature { get; init; } = 0.7;
}

/// <summary>Which pairs are made of them.</summary>
internal sealed record PairOptions
{
    /// <summary>The most pairs of one row in one step: those of its most frequent faults.</summary>
    public int PairsPerStep { get; init; } = 2;

    /// <summary>
    /// Whether the teacher mends a decision that none of a row's traces got right. Often the label is wrong there, not the model.
    /// </summary>
    public bool MendsDecisions { get; init; } = true;

    /// <summary>A right sentence loses against one that is shorter by at least so many tokens.</summary>
    public int MinSavedTokens { get; init; } = 2;

    /// <summary>Share of words (F1) from which a sentence says what the teacher's says.</summary>
    public double Agreement { get; init; } = 0.6;

    /// <summary>Share of the rows whose pairs are not trained on, but tell when to stop.</summary>
    public double HeldOutShare { get; init; } = 0.08;
}

/// <summary>How the model is trained on them.</summary>
internal sealed record ErpoOptions : TrainingOptions
{
    public ErpoOptions()
    {
        (Epochs, BatchTokens, MaxTokens, LearningRate, NgramRate, Warmup) = (1, 8192, 512, 5e-5, 1, 0.1);
        (FinalRate, WeightDecay, AveragedShare) = (0.1, 0, 0);
    }

    /// <summary>How closely the model is held to the one before: a reward is β times the change of a log-probability.</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>Margin for each choice that the chosen side saves.</summary>
    public double Alpha { get; init; } = 0.05;

    /// <summary>Weight of the mean negative log-likelihood of the chosen side.</summary>
    public double Gamma { get; init; } = 0.2;

    /// <summary>Evaluations in an epoch, evenly spaced.</summary>
    public int EvaluationsPerEpoch { get; init; } = 5;

    /// <summary>Evaluations without a lower loss after which training stops.</summary>
    public int Patience { get; init; } = 2;

    /// <summary>Weights whose AUC on dev rows lies further than this below that of the start are not kept.</summary>
    public double AucTolerance { get; init; } = 0.003;

    public override IEnumerable<string> Errors()
    {
        foreach (var error in base.Errors()) yield return error;
        if (!(Beta > 0 && double.IsFinite(Beta))) yield return "beta must be above 0";
        if (!(Alpha >= 0 && Gamma >= 0 && double.IsFinite(Alpha + Gamma))) yield return "alpha and gamma must not be negative";
        if (EvaluationsPerEpoch < 1 || Patience < 1) yield return "evaluations_per_epoch and patience must be at least 1";
        if (!(AucTolerance >= 0)) yield return "auc_tolerance must not be negative";
    }
}

/// <summary>Everything that decides what an iteration gives, besides rows, checkpoint and bundle.</summary>
internal sealed record ErpoRecipe
{
    public RollOutOptions RollOuts { get; init; } = new();

    public PairOptions Pairs { get; init; } = new();

    /// <summary>Null where all weights are trained.</summary>
    public LoraOptions? Lora { get; init; }

    public ErpoOptions Training { get; init; } = new();

    /// <inheritdoc cref="RecipeFile.Read"/>
    public static ErpoRecipe Read(string path) => RecipeFile.Read<ErpoRecipe>(path, r => r.Errors());

    public string ToJson() => RecipeFile.Write(this);

    private IEnumerable<string> Errors()
    {
        if (RollOuts.Prompts < 1) yield return "prompts must be at least 1";
        if (RollOuts.Traces < 2) yield return "traces must be at least 2";
        if (!(RollOuts is { Temperature: > 0 and <= 10, TextTemperature: > 0 and <= 10 })) yield return "temperature and text_temperature must lie above 0 and be at most 10";
        if (Pairs.PairsPerStep < 0 || Pairs.MinSavedTokens < 1) yield return "pairs_per_step must not be negative, min_saved_tokens at least 1";
        if (!(Pairs.Agreement is > 0 and <= 1)) yield return "agreement must lie between 0 and 1";
        if (!(Pairs.HeldOutShare is > 0 and < 1)) yield return "held_out_share must lie between 0 and 1";
        foreach (var error in Lora?.Errors() ?? []) yield return error;
        foreach (var error in Training.Errors()) yield return error;
    }
}
