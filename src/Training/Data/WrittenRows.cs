using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Data;

/// <summary>Rows from the traces that were written for this project: the writer's words stay, the teacher adds the verdicts.</summary>
internal sealed class WrittenRows(SourceTable sources, OfflineTeacher teacher)
{
    /// <summary>Written traces are few and good: each counts like two rows.</summary>
    private const double Weight = 2;

    /// <summary>Rows left out because label, decision and categories contradict each other.</summary>
    public int Skipped { get; private set; }

    public IEnumerable<TrainingRow> Make(string source, IEnumerable<WrittenTrace> traces)
    {
        var number = 0;
        foreach (var trace in traces)
        {
            var id = $"{source}-{++number:D5}";
            if (!trace.IsConsistent)
            {
                Skipped++;
                continue;
            }

            var conversation = trace.ToConversation();
            yield return new TrainingRow(
                id,
                source,
                sources.SplitOf(source, keptOut: false),
                trace.Label,
                Weight,
                trace.Lang ?? "en",
                conversation,
                teacher.Teach(id, conversation, trace.ToGold()));
        }
    }
}
