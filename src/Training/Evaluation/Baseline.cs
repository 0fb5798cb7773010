using System.Text;
using System.Text.Json;
using SaferGuard.Reasoning.Lexical;
using SaferGuard.Training.Lexical;

namespace SaferGuard.Training.Evaluation;

/// <summary>Bags of words that a model is compared with.</summary>
public enum BaselineKind
{
    /// <summary>ML.NET's TF-IDF and logistic regression.</summary>
    TfIdf,

    /// <summary>Hashed word and character n-grams and logistic regression: stronger, and trained in seconds.</summary>
    Hashed,
}

/// <summary>Trains baselines on some rows and scores others with them.</summary>
internal static class Baseline
{
    private const int Folds = 5;
    private const double DefaultThreshold = 0.5;

    public static IReadOnlyList<Prediction> Judge(BaselineKind kind, IReadOnlyList<LabelledRow> train, IReadOnlyList<LabelledRow> rows)
    {
        if (train.All(r => r.IsHarmful) || !train.Any(r => r.IsHarmful))
        {
            throw new InvalidDataException("A baseline needs harmful and other rows whose split is 'train'.");
        }

        var scores = kind == BaselineKind.TfIdf ? TfIdfBaseline.Score(train, rows) : HashedScores(train, rows);
        return [.. rows.Zip(scores, (row, score) => new Prediction(row, score, score >= DefaultThreshold))];
    }

    /// <summary>
    /// Writes a refuse probability for every row as JSON lines, each from a hashed baseline that has not seen the row's source:
    /// soft labels that do not repeat the label.
    /// </summary>
    public static void WriteOutOfFold(string path, IReadOnlyList<LabelledRow> rows)
    {
        using var writer = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        foreach (var fold in rows.ToLookup(r => FoldOf(r.Source)))
        {
            var model = LexicalTrainer.Train([.. rows.Where(r => FoldOf(r.Source) != fold.Key)]);
            foreach (var row in fold)
            {
                writer.WriteLine(JsonSerializer.Serialize(new { id = row.Id, refuse = Math.Round(Probability(model, row), 4) }));
            }
        }
    }

    private static double[] HashedScores(IReadOnlyList<LabelledRow> train, IReadOnlyList<LabelledRow> rows)
    {
        var model = LexicalTrainer.Train(train);
        return [.. rows.Select(r => Probability(model, r))];
    }

    private static double Probability(LexicalPrior model, LabelledRow row) => 1 / (1 + Math.Exp(-model.LogOdds(row.Conversation)));

    /// <summary>Stable between runs, unlike <see cref="string.GetHashCode()"/>.</summary>
    private static int FoldOf(string source) => source.Aggregate(17, (hash, c) => unchecked(hash * 31 + c) & int.MaxValue) % Folds;
}
