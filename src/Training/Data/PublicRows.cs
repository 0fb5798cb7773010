using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Data;

/// <summary>Rows from the public prompts: mapped to the policy, capped, weighed and given traces by the offline teacher.</summary>
internal sealed class PublicRows(SourceTable sources, CategoryMap categories, OfflineTeacher teacher, int seed)
{
    public IEnumerable<TrainingRow> Make(IEnumerable<SourcePrompt> prompts) =>
        prompts.Where(p => p.Label is not null && !string.IsNullOrWhiteSpace(p.Prompt))
            .GroupBy(p => p.Source)
            .SelectMany(Capped)
            .Select(MakeRow);

    /// <summary>Which rows a cap keeps hangs on seed and ids, not on their order.</summary>
    private IEnumerable<SourcePrompt> Capped(IGrouping<string, SourcePrompt> source)
    {
        var max = sources[source.Key].MaxRows;
        var rows = source.ToList();
        return rows.Count <= max ? rows : rows.OrderBy(p => new Draw(seed, p.Id).Below(int.MaxValue)).Take(max);
    }

    private TrainingRow MakeRow(SourcePrompt prompt)
    {
        var label = prompt.Label!.Value;
        var conversation = prompt.ToConversation();
        var chosen = label == Label.Benign ? [] : categories.Map(prompt.Source, prompt.Category, prompt.Prompt);
        if (prompt.Jailbreak) chosen = ["S14", .. chosen.Where(c => c != "S14")];
        // Advice on a person's health, money or rights is given with care; other safe prompts are answered.
        var decision = label == Label.BorderlineSafe && chosen is ["S13", ..] ? Decision.Care : (Decision?)null;
        return new TrainingRow(
            prompt.Id,
            prompt.Source,
            sources.SplitOf(prompt.Source, keptOut: prompt.Split == DataSplit.Dev),
            label,
            sources[prompt.Source].Weight * Confidence(prompt.LabelConf),
            prompt.Lang ?? "en",
            conversation,
            teacher.Teach(prompt.Id, conversation, new Gold(label, chosen, decision)));
    }

    private static double Confidence(string? labelConf) => labelConf switch
    {
        "medium" => .6,
        "low" => .3,
        _ => 1,
    };
}
