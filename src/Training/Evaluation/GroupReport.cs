using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>The rows of one source that carry one label.</summary>
/// <param name="RefuseRate">Recall of harmful rows, false-positive rate of the others.</param>
/// <param name="Auc">Within the source; null unless it has harmful and other rows.</param>
/// <param name="AucAgainstOthers">Harmful rows against the benign rows of all sources; other rows against the harmful rows of all sources.</param>
/// <param name="F1AgainstOthers">Of the decisions on the same rows.</param>
public sealed record GroupReport(
    string Source, Label Label, int Rows, double MeanScore, double RefuseRate, double? Auc, double? AucAgainstOthers, double? F1AgainstOthers)
{
    public static IReadOnlyList<GroupReport> Of(IReadOnlyList<Prediction> predictions)
    {
        var harmful = predictions.Where(p => p.Row.IsHarmful).ToArray();
        var benign = predictions.Where(p => p.Row.Label == Label.Benign).ToArray();
        var sourceAucs = predictions.GroupBy(p => p.Row.Source).ToDictionary(g => g.Key, AucOf);
        return
        [
            .. from p in predictions
               group p by (p.Row.Source, p.Row.Label) into rows
               orderby rows.Key.Source, rows.Key.Label
               let against = rows.Concat(rows.Key.Label == Label.Harmful ? benign : harmful).ToArray()
               select new GroupReport(
                   rows.Key.Source,
                   rows.Key.Label,
                   rows.Count(),
                   rows.Average(p => p.Score),
                   rows.Average(p => p.Refused ? 1.0 : 0.0),
                   sourceAucs[rows.Key.Source],
                   AucOf(against),
                   Confusion.Of(against.Select(p => (p.Refused, p.Row.IsHarmful))).F1),
        ];
    }

    private static double? AucOf(IEnumerable<Prediction> predictions) => Metrics.RocAuc(predictions.Select(p => p.Scored));
}
