namespace SaferGuard.Reasoning.Decoding;

/// <summary>Choices among a few tokens: everything else is masked before the softmax.</summary>
public static class TokenChoice
{
    /// <summary>Probabilities of <paramref name="tokens"/> among themselves.</summary>
    /// <exception cref="NotFiniteNumberException">A logit is not a number: nothing may be decided by it.</exception>
    public static double[] Probabilities(ReadOnlySpan<float> logits, IReadOnlyList<int> tokens)
    {
        var max = double.NegativeInfinity;
        for (var i = 0; i < tokens.Count; i++) max = Math.Max(max, logits[tokens[i]]);
        var probabilities = new double[tokens.Count];
        var sum = 0.0;
        for (var i = 0; i < probabilities.Length; i++) sum += probabilities[i] = Math.Exp(logits[tokens[i]] - max);
        if (!double.IsFinite(sum)) throw new NotFiniteNumberException("The model's logits are not numbers.");
        for (var i = 0; i < probabilities.Length; i++) probabilities[i] /= sum;
        return probabilities;
    }

    /// <summary>log(p / (1 - p)), bounded so that certainty stays finite.</summary>
    public static double LogOdds(double probability)
    {
        var p = Math.Clamp(probability, 1e-9, 1 - 1e-9);
        return Math.Log(p / (1 - p));
    }
}
