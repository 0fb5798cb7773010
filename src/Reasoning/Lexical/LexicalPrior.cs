using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Lexical;

/// <summary>
/// What a bag of hashed n-grams says of a conversation before the model reads it: log-odds of a refusal, by logistic regression over
/// <see cref="HashedFeatures"/>. Small decoders learn the style of their sources; counted words carry over to new ones, and the two err apart.
/// </summary>
public sealed class LexicalPrior(float[] weights, float bias)
{
    private const string WeightsTensor = "weights";
    private const string BiasTensor = "bias";

    /// <summary>Weight of each bucket: (buckets)</summary>
    public float[] Weights => weights;

    public float Bias => bias;

    /// <exception cref="InvalidDataException">The file is not a prior of this kind.</exception>
    public static LexicalPrior Load(string path)
    {
        var tensors = SafeTensors.Read(path);
        if (!tensors.TryGet(WeightsTensor, out var weights) || !tensors.TryGet(BiasTensor, out var bias)
            || weights.Data.Length != HashedFeatures.Buckets || bias.Data.Length != 1
            || !weights.Data.All(float.IsFinite) || !float.IsFinite(bias.Data[0]))
        {
            throw new InvalidDataException($"{path}: '{WeightsTensor}' ({HashedFeatures.Buckets}) and '{BiasTensor}' (1) are expected, finite.");
        }

        return new LexicalPrior(weights.Data, bias.Data[0]);
    }

    public void Save(string path) => SafeTensors.Write(path, [(WeightsTensor, [weights.Length], weights), (BiasTensor, [1], [bias])]);

    /// <summary>The mean of the whole conversation and its last turn: harmless turns before a request must not thin it out, nor old ones outlast it.</summary>
    public double LogOdds(Conversation conversation) =>
        (LogOdds(HashedFeatures.Of(TextOf(conversation))) + LogOdds(HashedFeatures.Of(conversation.Turns[^1].Content))) / 2;

    /// <param name="features">Distinct buckets; each counts 1 / sqrt(their number), so that a text has length 1.</param>
    public double LogOdds(ReadOnlySpan<int> features)
    {
        var sum = 0f;
        foreach (var bucket in features) sum += weights[bucket];
        return bias + (features.IsEmpty ? 0 : sum / MathF.Sqrt(features.Length));
    }

    /// <summary>All turns as one text: a bag of words knows no turns.</summary>
    public static string TextOf(Conversation conversation) => string.Join('\n', conversation.Turns.Select(t => t.Content));
}
