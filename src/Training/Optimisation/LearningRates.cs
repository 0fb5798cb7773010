namespace SaferGuard.Training.Optimisation;

/// <summary>The learning rate over a run.</summary>
internal static class LearningRates
{
    /// <summary>A straight rise, then half a cosine down to the final rate.</summary>
    /// <param name="progress">Share of the run that is done, from 0 to 1.</param>
    public static double At(double progress, TrainingOptions options)
    {
        if (progress < options.Warmup) return options.LearningRate * progress / options.Warmup;
        var fall = (1 + Math.Cos(Math.PI * (progress - options.Warmup) / (1 - options.Warmup))) / 2;
        return options.LearningRate * (options.FinalRate + (1 - options.FinalRate) * fall);
    }
}
