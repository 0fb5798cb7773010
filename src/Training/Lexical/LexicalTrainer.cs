using SaferGuard.Reasoning.Lexical;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Lexical;

/// <summary>
/// Trains a <see cref="LexicalPrior"/> by AdaGrad with L2 regularisation. Seconds on one core, and the same result every time.
/// It is also the stronger of the two baselines that a model must beat.
/// </summary>
internal static class LexicalTrainer
{
    private const int Epochs = 5;
    private const float Rate = 0.5f;
    private const float L2 = 1e-4f;

    public static LexicalPrior Train(IReadOnlyList<LabelledRow> rows, int seed = 1)
    {
        int[][] features = [.. rows.Select(r => HashedFeatures.Of(r.Text))];
        var weights = new float[HashedFeatures.Buckets];
        var squares = new float[HashedFeatures.Buckets];
        var (bias, biasSquares) = (0f, 0f);
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        var random = new Random(seed);
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            random.Shuffle(order);
            foreach (var r in order)
            {
                var probability = 1 / (1 + MathF.Exp(-(float)new LexicalPrior(weights, bias).LogOdds(features[r])));
                var error = (probability - (rows[r].IsHarmful ? 1 : 0)) * (float)rows[r].Weight;
                var value = 1 / MathF.Sqrt(Math.Max(1, features[r].Length));
                foreach (var bucket in features[r]) Step(ref weights[bucket], ref squares[bucket], error * value);
                Step(ref bias, ref biasSquares, error);
            }
        }

        return new LexicalPrior(weights, bias);
    }

    private static void Step(ref float weight, ref float squares, float gradient)
    {
        gradient += L2 * weight;
        squares += gradient * gradient;
        weight -= Rate * gradient / (MathF.Sqrt(squares) + 1e-8f);
    }
}
