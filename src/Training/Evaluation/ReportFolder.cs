using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Training.Evaluation.Charts;

namespace SaferGuard.Training.Evaluation;

/// <summary>What <c>evaluate --out</c> leaves: the report as JSON and as Markdown with two pictures, and the predictions.</summary>
internal static class ReportFolder
{
    public const string JsonFile = "report.json";
    public const string MarkdownFile = "report.md";
    public const string RocFile = "roc.svg";
    public const string ReliabilityFile = "reliability.svg";
    public const string PredictionsFile = "predictions.jsonl";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    public static void Write(string folder, EvaluateOptions options, IReadOnlyList<EvaluationReport> reports)
    {
        Directory.CreateDirectory(folder);
        var json = JsonSerializer.Serialize(
            new { options.Data, options.Split, options.Decision, options.Resamples, options.Seed, Reports = reports }, Json);
        Save(JsonFile, json);
        Save(RocFile, RocChart.Draw(reports));
        Save(ReliabilityFile, ReliabilityChart.Draw(reports));
        Save(MarkdownFile, Markdown(options, reports));

        void Save(string file, string text) => File.WriteAllText(Path.Combine(folder, file), $"{text.TrimEnd()}\n");
    }

    private static string Markdown(EvaluateOptions options, IReadOnlyList<EvaluationReport> reports)
    {
        var text = new StringBuilder()
            .Append("# Evaluation\n\n")
            .Append(CultureInfo.InvariantCulture, $"Rows of `{options.Data}`, split `{options.Split}` or none. {Decided(options.Decision)}\n");
        if (options.Resamples > 0)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"In brackets: 95 % confidence intervals, {options.Resamples} bootstrap resamples of the rows, seed {options.Seed}.\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\n![ROC curves]({RocFile}) ![Reliability diagram]({ReliabilityFile})\n\n");
        return text.AppendJoin('\n', EvaluationTables.ForFile(reports).Select(table => table.ToMarkdown())).ToString();
    }

    private static string Decided(DecisionRule rule) => rule switch
    {
        { Fpr: { } fpr } => FormattableString.Invariant($"Refused from the score on that {fpr:P1} of each judge's harmless rows reach, found on these rows."),
        { Threshold: { } threshold } => FormattableString.Invariant($"Refused from the score {threshold} on."),
        { Point: { } point } => $"The guard decides at its {point.ToString().ToLowerInvariant()} operating point.",
        _ => "Each judge decides.",
    };
}
