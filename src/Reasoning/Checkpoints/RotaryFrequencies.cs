namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>How far each pair of a head's elements turns from one position to the next, in radians.</summary>
public static class RotaryFrequencies
{
    public static double[] Of(ModelConfig config) =>
        [.. Enumerable.Range(0, config.HeadSize / 2).Select(i => Scale(Math.Pow(config.RopeTheta, -2.0 * i / config.HeadSize), config.RopeScaling))];

    /// <summary>
    /// What Llama 3.1 does: a wave that fits into the original context often stays, one that hardly fits becomes longer by the factor, and
    /// between them the frequency goes over from the one to the other.
    /// </summary>
    private static double Scale(double frequency, RopeScaling? scaling)
    {
        if (scaling is null) return frequency;
        var turns = scaling.OriginalMaxPositionEmbeddings * frequency / (2 * Math.PI);
        var kept = Math.Clamp((turns - scaling.LowFreqFactor) / (scaling.HighFreqFactor - scaling.LowFreqFactor), 0, 1);
        return (1 - kept) * frequency / scaling.Factor + kept * frequency;
    }
}
