using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>What the rows of a slice have in common.</summary>
public enum SliceKind
{
    /// <summary>A category of the policy: harmful and borderline-safe rows that have it, against all benign rows.</summary>
    Category,

    /// <summary>A category of the set's own: harmful and borderline-safe rows that have it, against all benign rows.</summary>
    Topic,

    Language,

    /// <summary>The same attack carries the rows.</summary>
    Attack,
}

/// <summary>A judge measured on a part of a set.</summary>
/// <param name="Rows">Without the benign rows that categories and topics are measured against.</param>
/// <param name="Measures">By name; see <see cref="Measure.OfSlice"/>.</param>
public sealed record Slice(SliceKind Kind, string Name, int Rows, int Harmful, IReadOnlyDictionary<string, Estimate> Measures)
{
    internal static IReadOnlyList<Slice> Of(IReadOnlyList<Prediction> predictions, Bootstrap bootstrap)
    {
        Prediction[] benign = [.. predictions.Where(p => p.Row.Label == Label.Benign)];
        Prediction[] others = [.. predictions.Where(p => p.Row.Label != Label.Benign)];
        return
        [
            .. By(SliceKind.Category, others, row => row.Categories ?? [], benign),
            .. By(SliceKind.Topic, others, row => Some(row.Topic), benign),
            .. By(SliceKind.Language, predictions, row => [row.Language], []),
            .. By(SliceKind.Attack, predictions, row => Some(row.Attack), []),
        ];

        IEnumerable<Slice> By(SliceKind kind, IEnumerable<Prediction> rows, Func<LabelledRow, IReadOnlyList<string>> names, Prediction[] against) =>
            from pair in rows.SelectMany(p => names(p.Row), (p, name) => (Name: name, Prediction: p))
            group pair.Prediction by pair.Name into slice
            orderby slice.Count() descending, slice.Key
            select new Slice(
                kind, slice.Key, slice.Count(), slice.Count(p => p.Row.IsHarmful), bootstrap.Estimate(slice.Concat(against), Measure.OfSlice));
    }

    private static IReadOnlyList<string> Some(string? name) => name is null ? [] : [name];
}
