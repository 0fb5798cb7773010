namespace SaferGuard.Training.Optimisation;

/// <summary>What every kind of training can be told about its steps.</summary>
internal abstract record TrainingOptions
{
    public int Seed { get; init; } = 1;

    public int Epochs { get; init; } = 3;

    /// <summary>Tokens of one batch, padding included.</summary>
    public int BatchTokens { get; init; } = 8192;

    /// <summary>Tokens of one sequence.</summary>
    public int MaxTokens { get; init; } = 768;

    public double LearningRate { get; init; } = 2e-3;

    /// <summary>The n-gram table's learning rate as a multiple of <see cref="LearningRate"/>: each of its rows is seen rarely.</summary>
    public double NgramRate { get; init; } = 1;

    /// <summary>Share of the run in which the learning rate rises; it then falls along a cosine to <see cref="FinalRate"/>.</summary>
    public double Warmup { get; init; } = 0.05;

    /// <summary>The last learning rate as a share of the highest.</summary>
    public double FinalRate { get; init; } = 0.05;

    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Gradients are scaled down to this norm.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Share of the run, at its end, over which weights are averaged; the average is what is saved.</summary>
    public double AveragedShare { get; init; } = 0.3;

    /// <summary>What is out of range, by the recipe's names.</summary>
    public virtual IEnumerable<string> Errors()
    {
        if (Epochs < 1) yield return "epochs must be at least 1";
        if (MaxTokens < 1) yield return "max_tokens must be at least 1";
        if (BatchTokens < MaxTokens) yield return "batch_tokens must be at least max_tokens";
        if (!(LearningRate > 0 && NgramRate > 0 && MaxGradientNorm > 0)) yield return "learning_rate, ngram_rate and max_gradient_norm must be above 0";
        if (!(WeightDecay >= 0)) yield return "weight_decay must not be negative";
        foreach (var error in ShareErrors([("warmup", Warmup), ("final_rate", FinalRate), ("averaged_share", AveragedShare)])) yield return error;
        if (Warmup >= 1) yield return "warmup must be below 1";
    }

    protected static IEnumerable<string> ShareErrors(IEnumerable<(string Name, double Share)> shares) =>
        shares.Where(s => !(s.Share is >= 0 and <= 1)).Select(s => $"{s.Name} must lie between 0 and 1");
}
