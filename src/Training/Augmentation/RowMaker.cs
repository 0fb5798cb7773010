using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>Rows that this project generates: all are trained on, and weigh a little less than what people wrote.</summary>
internal static class RowMaker
{
    private const double Weight = .7;

    public static TrainingRow Make(string id, string source, Conversation conversation, Gold gold, OfflineTeacher teacher, string lang = "en") =>
        new(id, source, DataSplit.Train, gold.Label, Weight, lang, conversation, teacher.Teach(id, conversation, gold));
}
