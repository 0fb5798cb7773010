using SaferGuard.Reasoning.Policies;
using SaferGuard.Training.Augmentation;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Data;

/// <param name="PromptsFolder">Holds <c>prompts.jsonl.gz</c>; null trains without public prompts.</param>
/// <param name="TracesFolder">Holds the written traces (<c>data/traces</c>).</param>
/// <param name="OutputFolder">Receives <c>rows.jsonl</c>.</param>
public sealed record SynthesizeOptions(string? PromptsFolder, string TracesFolder, string OutputFolder, int Seed = 7);

/// <summary>Makes the training rows: public prompts, written traces and generated rows, each with a full gold trace.</summary>
internal sealed class Synthesizer(Policy policy, SynthesizeOptions options)
{
    private readonly SourceTable _sources = new();
    private readonly Lexicon _lexicon = new(policy);

    /// <summary>Written rows left out because they contradict themselves.</summary>
    public int Skipped { get; private set; }

    /// <summary>All rows, each text once: the first source that has it keeps it.</summary>
    public IReadOnlyList<TrainingRow> Make()
    {
        var teacher = new OfflineTeacher(policy, _lexicon, options.Seed);
        var rows = new List<TrainingRow>();
        rows.AddRange(Written(teacher));
        rows.AddRange(Public(teacher));
        rows.AddRange(new GeneratedRows(teacher, options.Seed).Make());
        rows.AddRange(new DerivedRows(new BaseRows(rows), teacher, options.Seed).Make());
        return [.. rows.DistinctBy(row => string.Join('\0', row.Conversation.Turns.Select(t => t.Content)))];
    }

    private List<TrainingRow> Written(OfflineTeacher teacher)
    {
        var written = new WrittenRows(_sources, teacher);
        List<TrainingRow> rows = [.. WrittenTraceFile.ReadFolder(options.TracesFolder).SelectMany(file => written.Make(file.Source, file.Rows))];
        Skipped = written.Skipped;
        return rows;
    }

    private IEnumerable<TrainingRow> Public(OfflineTeacher teacher) => options.PromptsFolder is null
        ? []
        : new PublicRows(_sources, new CategoryMap(_lexicon), teacher, options.Seed)
            .Make(PromptFile.Read(Path.Combine(options.PromptsFolder, PromptFile.Name)));
}
