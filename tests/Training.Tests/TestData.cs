using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Tests;

/// <summary>Where the repository's data lies, and what every training row must keep to.</summary>
internal static class TestData
{
    public static string TracesFolder { get; } = Path.Combine(RepositoryRoot(), "data", "traces");

    /// <summary>The model that the repository ships.</summary>
    public static string BundleFolder { get; } = Path.Combine(RepositoryRoot(), "models", "safer-nano");

    public static void AssertConsistent(TrainingRow row)
    {
        var trace = row.Trace;
        var slots = trace.Assessment.Categories.SelectMany(c => PolicyReader.Default.Categories[PolicyReader.Default.IndexOfCategory(c)].Rules).ToList();
        Assert.Equal(slots.Select(r => r.Id), trace.RuleChecks.Select(c => c.Rule));
        var violated = slots.Zip(trace.RuleChecks).Where(p => p.Second.Verdict == Verdict.Violated).Select(p => p.First.Effect).ToList();
        Assert.Equal(trace.Path.Decision == Decision.Refuse, violated.Contains(RuleEffect.Refuse));
        Assert.Equal(trace.Path.Decision == Decision.Answer, violated.Count == 0);
        Assert.Equal(row.Label == Label.Harmful, trace.Path.Decision == Decision.Refuse);
        Assert.InRange(trace.Assessment.Categories.Count, 0, TraceFormat.MaxChosenCategories);
        foreach (var check in trace.RuleChecks)
        {
            if (check.Evidence is not { } evidence) continue;
            Assert.Equal(Verdict.Violated, check.Verdict);
            Assert.Equal(row.Conversation.Turns[evidence.Turn].Content[evidence.Start..evidence.End], evidence.Text);
        }
    }

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SaferGuard.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
