using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Data;

/// <summary>A line of <c>data/traces/*.jsonl</c>: a prompt or conversation with a trace that a writer gave it.</summary>
/// <param name="Evidence">A verbatim span, or empty.</param>
internal sealed record WrittenTrace(
    Label Label,
    IReadOnlyList<string> Categories,
    Risk Risk,
    string Intent,
    string Evidence,
    Decision Decision,
    string Strategy,
    string? Prompt = null,
    IReadOnlyList<SourceTurn>? Messages = null,
    Subject Subject = Subject.Prompt,
    string? Lang = null)
{
    public Conversation ToConversation() => Messages is { Count: > 0 }
        ? new Conversation([.. Messages.Select(m => new Turn(m.Role, m.Content))], Subject)
        : new Conversation([new Turn(Role.User, Prompt ?? "")], Subject);

    /// <summary>All that the writer said; only the verdicts are left to the teacher.</summary>
    public Gold ToGold() => new(
        Label,
        [.. Categories.Where(c => c != Policy.NoCategory)],
        Decision,
        Rule: null,
        Focus: Evidence,
        Risk,
        Intent,
        Strategy);

    /// <summary>Label and decision agree, and a decision other than answer has a category that it can rest on.</summary>
    public bool IsConsistent => (Label == Label.Harmful) == (Decision == Decision.Refuse)
        && (Decision == Decision.Answer || Categories.Any(c => c != Policy.NoCategory))
        && ToConversation().Turns.Any(t => !string.IsNullOrWhiteSpace(t.Content));
}

/// <summary>Reads the traces that were written for this project.</summary>
internal static class WrittenTraceFile
{
    /// <summary>Every file of the folder in order of name, each as its source name (<c>traces/s1-s3</c>) and its lines.</summary>
    /// <exception cref="InvalidDataException">A line is not such a trace; the message names it.</exception>
    public static IEnumerable<(string Source, List<WrittenTrace> Rows)> ReadFolder(string folder)
    {
        foreach (var path in Directory.GetFiles(folder, "*.jsonl").Order(StringComparer.Ordinal))
        {
            using var stream = File.OpenRead(path);
            yield return ($"traces/{Path.GetFileNameWithoutExtension(path)}", [.. JsonLines.Read<WrittenTrace>(stream, path)]);
        }
    }
}
