using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation.Import;

/// <summary>The columns of a published safety set, and what they mean here. No row of any such set is part of this repository.</summary>
/// <param name="Rows">The rows of a record; none where the set gives it no label.</param>
internal sealed record SetFormat(string Name, string Description, Func<SourceRecord, IEnumerable<ImportedRow>> Rows)
{
    private const string Plain = "base";

    private static readonly string[] ModerationFlags = ["S", "S3", "H", "H2", "V", "V2", "HR", "SH"];

    private static readonly string[] MultiJailLanguages = ["en", "zh", "it", "vi", "ar", "ko", "th", "bn", "sw", "jv"];

    public static IReadOnlyList<SetFormat> All { get; } =
    [
        One("advbench", "AdvBench: goal", r => Harmful(r, r.Text("goal"))),
        One("aegis", "Aegis 2.0: prompt, prompt_label", r => r.Text("prompt") == "REDACTED" ? null : r.Text("prompt_label").ToLowerInvariant() switch
        {
            "safe" => Row(r, r.Text("prompt"), Label.Benign),
            "unsafe" => Row(r, r.Text("prompt"), Label.Harmful, topic: r.Optional("violated_categories")),
            var other => throw Unknown("prompt_label", other),
        }),
        One("aya-redteaming", "Aya red-teaming: prompt, language, harm_category", r =>
            Row(r, r.Text("prompt"), Label.Harmful, topic: r.First("harm_category"), lang: r.Text("language"))),
        One("beavertails", "BeaverTails, prompts with responses: prompt, response, is_safe; the response is judged", r => Row(
            r, null, r.Flag("is_safe") ? Label.Benign : Label.Harmful, topic: r.TrueNames("category") is { Count: > 0 } names ? string.Join(" + ", names) : null) with
        {
            Messages = [new Turn(Role.User, r.Text("prompt")), new Turn(Role.Assistant, r.Text("response"))],
            Subject = Subject.Response,
        }),
        One("beavertails-evaluation", "BeaverTails, evaluation prompts: prompt, category", r => Harmful(r, r.Text("prompt"), r.Optional("category"))),
        One("do-not-answer", "Do-Not-Answer: question, risk_area", r => Harmful(r, r.Text("question"), r.Optional("risk_area"))),
        One("harmbench", "HarmBench, text behaviours: Behavior, ContextString, SemanticCategory", r => Harmful(
            r, r.Optional("ContextString") is { } context ? $"{context}\n\n---\n\n{r.Text("Behavior")}" : r.Text("Behavior"), r.Optional("SemanticCategory"))),
        One("jailbreakbench", "JailbreakBench, harmful behaviours: Goal, Category", r => Harmful(r, r.Text("Goal"), r.Optional("Category"))),
        One("jailbreakbench-benign", "JailbreakBench, benign behaviours: Goal, Category", r =>
            Row(r, r.Text("Goal"), Label.BorderlineSafe, topic: r.Optional("Category"))),
        new("multijail", "MultiJail: a column for each language", r =>
            MultiJailLanguages.Where(lang => r.Optional(lang) is not null)
                .Select(lang => Row(r, r.Text(lang), Label.Harmful, topic: r.Optional("tags"), lang: lang))),
        One("openai-moderation", "OpenAI moderation evaluation: prompt, flags S H V HR SH S3 H2 V2", OpenAiModeration),
        One("or-bench", "OR-Bench 80k and hard 1k: prompt, category; all safe", r =>
            Row(r, r.Text("prompt"), Label.BorderlineSafe, topic: r.Optional("category"))),
        One("or-bench-toxic", "OR-Bench toxic: prompt, category; all harmful", r => Harmful(r, r.Text("prompt"), r.Optional("category"))),
        One("simplesafetytests", "SimpleSafetyTests: prompts_final or prompt, harm_area", r =>
            Harmful(r, r.Text("prompts_final", "prompt"), r.Optional("harm_area"))),
        One("sorry-bench", "SORRY-Bench: turns, category, prompt_style", r => Harmful(r, r.First("turns"), r.Optional("category")) with
        {
            Attack = r.Optional("prompt_style") is var style && style != Plain ? style : null,
        }),
        One("strongreject", "StrongREJECT: forbidden_prompt, category", r => Harmful(r, r.Text("forbidden_prompt"), r.Optional("category"))),
        One("toxicchat", "ToxicChat: user_input, toxicity, jailbreaking", r =>
            Row(r, r.Text("user_input"), r.Flag("toxicity") ? Label.Harmful : Label.Benign, attack: r.Flag("jailbreaking") ? "jailbreak" : null)),
        One("wildguardtest", "WildGuardTest, prompts: prompt, prompt_harm_label, adversarial, subcategory", r => r.Optional("prompt_harm_label") switch
        {
            null => null,
            "harmful" => WildGuard(r, Label.Harmful),
            "unharmful" => WildGuard(r, Label.Benign),
            var other => throw Unknown("prompt_harm_label", other),
        }),
        One("xstest", "XSTest: prompt, type, and label where it is there", r => Row(
            r, r.Text("prompt"), XsTest(r.Optional("label"), r.Text("type")) ? Label.BorderlineSafe : Label.Harmful, topic: r.Text("type"))),
    ];

    private static SetFormat One(string name, string description, Func<SourceRecord, ImportedRow?> row) =>
        new(name, description, record => row(record) is { } one ? [one] : []);

    private static ImportedRow Harmful(SourceRecord record, string prompt, string? topic = null) => Row(record, prompt, Label.Harmful, topic);

    private static ImportedRow Row(
        SourceRecord record, string? prompt, Label label, string? topic = null, string? attack = null, string? lang = null) =>
        new("", label, prompt, Id: record.Optional("id", "BehaviorID", "conv_id", "question_id", "id_v2"), Topic: topic, Attack: attack, Lang: lang);

    private static ImportedRow WildGuard(SourceRecord record, Label label) => Row(
        record, record.Text("prompt"), label, record.Optional("subcategory"), record.Optional("adversarial") is not null && record.Flag("adversarial") ? "adversarial" : null);

    /// <summary>Flags that were not judged are absent; a record without any flag has no label.</summary>
    private static ImportedRow? OpenAiModeration(SourceRecord record)
    {
        string[] judged = [.. ModerationFlags.Where(flag => record.Optional(flag) is not null)];
        string[] raised = [.. judged.Where(record.Flag)];
        if (judged.Length == 0) return null;
        return Row(record, record.Text("prompt"), raised.Length > 0 ? Label.Harmful : Label.Benign, raised.Length > 0 ? string.Join(" + ", raised) : null);
    }

    /// <summary>The first version has no labels: its types say which prompts are contrasts, and those are unsafe.</summary>
    private static bool XsTest(string? label, string type) => label switch
    {
        "safe" => true,
        "unsafe" => false,
        null => !type.StartsWith("contrast", StringComparison.Ordinal),
        _ => throw Unknown("label", label),
    };

    private static FormatException Unknown(string column, string value) => new($"'{column}' is '{value}', which the format does not have.");
}
