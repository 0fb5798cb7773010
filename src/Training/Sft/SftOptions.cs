using SaferGuard.Training.Optimisation;

namespace SaferGuard.Training.Sft;

/// <summary>What supervised fine-tuning can be told. Probabilities and shares lie between 0 and 1. Longer prompts than fit lose their middle.</summary>
internal sealed record SftOptions : TrainingOptions
{
    /// <summary>Probability that a word of the prompt is masked.</summary>
    public double WordMasking { get; init; } = 0.15;

    /// <summary>Probability that an n-gram embedding is left out.</summary>
    public double NgramDropout { get; init; } = 0.1;

    /// <summary>Dropout of what the first layer reads.</summary>
    public double EmbeddingDropout { get; init; } = 0.1;

    /// <summary>Share of the target probability that is spread over the other choices.</summary>
    public double LabelSmoothing { get; init; } = 0.05;

    /// <summary>
    /// Probability that a category that does not apply is verified beside the gold ones. Serving may choose a wrong category, and a model that
    /// only ever saw right ones would learn that what is verified is violated.
    /// </summary>
    public double WrongCategory { get; init; } = 0.3;

    /// <summary>The same for rows to which no category applies: then the wrong one is verified alone.</summary>
    public double WrongCategoryAlone { get; init; } = 0.5;

    /// <summary>Probability that the risk token of the input is drawn at random, so that verdicts do not lean on it.</summary>
    public double RiskNoise { get; init; } = 0.3;

    public LossWeights Weights { get; init; } = new();

    public override IEnumerable<string> Errors()
    {
        foreach (var error in base.Errors()) yield return error;
        foreach (var error in ShareErrors([
            ("word_masking", WordMasking), ("ngram_dropout", NgramDropout), ("embedding_dropout", EmbeddingDropout), ("label_smoothing", LabelSmoothing),
            ("wrong_category", WrongCategory), ("wrong_category_alone", WrongCategoryAlone), ("risk_noise", RiskNoise),
        ])) yield return error;
        if (EmbeddingDropout >= 1) yield return "embedding_dropout must be below 1";
        double[] weights = [Weights.Assess, Weights.Categories, Weights.Risk, Weights.Verdicts, Weights.Path, Weights.Text, Weights.Pooled];
        if (!weights.All(w => w >= 0 && double.IsFinite(w))) yield return "weights must not be negative";
    }
}

/// <summary>Weights of the loss terms.</summary>
/// <param name="Assess">First impression of the decision.</param>
/// <param name="Categories">Mean over the gold categories.</param>
/// <param name="Risk">Risk.</param>
/// <param name="Verdicts">Mean over the rules that are verified.</param>
/// <param name="Path">Decision.</param>
/// <param name="Text">Mean over the tokens of one sentence or evidence span.</param>
/// <param name="Pooled">Refusal, read from the mean of the prompt's embeddings by a head that exists in training only.</param>
internal sealed record LossWeights(
    double Assess = 1, double Categories = 0.5, double Risk = 0.3, double Verdicts = 1, double Path = 0.5, double Text = 0.1, double Pooled = 0.2);
