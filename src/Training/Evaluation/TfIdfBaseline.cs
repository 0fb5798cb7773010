using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Transforms.Text;

namespace SaferGuard.Training.Evaluation;

/// <summary>
/// The baseline that every bundled model must beat: ML.NET's TF-IDF of word 1–2-grams and character 3-grams and its logistic regression.
/// </summary>
internal static class TfIdfBaseline
{
    /// <summary>Dictionaries stop growing here, which bounds memory: L-BFGS keeps about 40 vectors of this size.</summary>
    private const int MaxNgrams = 100_000;

    private const int MaxIterations = 200;

    private const string Features = "Features";

    /// <summary>Trains on some rows and scores others: the probability that each should be refused.</summary>
    public static double[] Score(IReadOnlyList<LabelledRow> train, IReadOnlyList<LabelledRow> rows)
    {
        var ml = new MLContext(seed: 1);
        var pipeline = ml.Transforms.Text.FeaturizeText(Features, Options(), nameof(TextRow.Text))
            .AppendCacheCheckpoint(ml)
            .Append(ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
            {
                ExampleWeightColumnName = nameof(TextRow.Weight),
                MaximumNumberOfIterations = MaxIterations,
                NumberOfThreads = 1,
            }));
        var model = pipeline.Fit(ml.Data.LoadFromEnumerable(train.Select(TextRow.Of)));
        var scored = model.Transform(ml.Data.LoadFromEnumerable(rows.Select(TextRow.Of)));
        return [.. scored.GetColumn<float>("Probability").Select(p => (double)p)];
    }

    private static TextFeaturizingEstimator.Options Options() => new()
    {
        WordFeatureExtractor = Ngrams(length: 2, useAllLengths: true),
        CharFeatureExtractor = Ngrams(length: 3, useAllLengths: false),
    };

    private static WordBagEstimator.Options Ngrams(int length, bool useAllLengths) => new()
    {
        NgramLength = length,
        UseAllLengths = useAllLengths,
        MaximumNgramsCount = [MaxNgrams],
        Weighting = NgramExtractingEstimator.WeightingCriteria.TfIdf,
    };

    private sealed class TextRow
    {
        public string Text { get; set; } = "";

        public bool Label { get; set; }

        public float Weight { get; set; }

        public static TextRow Of(LabelledRow row) => new() { Text = row.Text, Label = row.IsHarmful, Weight = (float)row.Weight };
    }
}
