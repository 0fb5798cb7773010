using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher;

/// <summary>
/// Writes gold traces from labels without a network, the same for the same seed and row. The convention that a model learns:
/// refuse means one refuse rule of every chosen category is violated; care means a care rule of the main category is; answer means none is.
/// Every other rule of the main category is clear; one of a further category is clear where the lexicon hears it, else not applicable.
/// </summary>
internal sealed class OfflineTeacher(Policy policy, Lexicon lexicon, int seed)
{
    private const string FallbackCategory = "S4";

    private readonly Sentences _sentences = new();
    private readonly EvidencePicker _evidence = new(lexicon);

    public Trace Teach(string id, Conversation conversation, Gold gold)
    {
        var decision = gold.Decision ?? (gold.Label == Label.Harmful ? Decision.Refuse : Decision.Answer);
        var heard = conversation.Turns.SelectMany(t => lexicon.Find(t.Content)).ToList();
        var categories = Categories(gold, decision, conversation);
        var checks = new List<RuleCheck>();
        string? decisive = null;
        foreach (var id0 in categories)
        {
            var violated = ViolatedRule(id0, isMain: checks.Count == 0, decision, gold, heard);
            decisive ??= violated;
            checks.AddRange(Check(id0, violated, isMain: id0 == categories[0], heard, rule => EvidenceFor(rule, rule == decisive, conversation, gold)));
        }

        var main = categories.Count == 0 ? Policy.NoCategory : categories[0];
        var (intent, strategy) = _sentences.Write(gold.Label, main, decisive, decision, new Draw(seed, id));
        return new Trace(
            new AssessmentStage(gold.Intent ?? intent, categories, gold.Risk ?? RiskOf(gold.Label, main, decision)),
            checks,
            new PathStage(decision, gold.Strategy ?? strategy));
    }

    private List<string> Categories(Gold gold, Decision decision, Conversation conversation)
    {
        var known = gold.Categories.Where(c => policy.IndexOfCategory(c) >= 0).Distinct().Take(TraceFormat.MaxChosenCategories).ToList();
        if (known.Count > 0 || decision == Decision.Answer) return known;
        return [lexicon.BestCategory(string.Join('\n', conversation.Turns.Select(t => t.Content))) ?? FallbackCategory];
    }

    private string? ViolatedRule(string category, bool isMain, Decision decision, Gold gold, List<LexiconMatch> heard)
    {
        if (decision == Decision.Answer || (decision == Decision.Care && !isMain)) return null;
        var effect = decision == Decision.Refuse ? RuleEffect.Refuse : RuleEffect.Care;
        if (isMain && gold.Rule is { } known && HasEffect(known, effect)) return known;
        var general = (decision == Decision.Refuse ? lexicon.GeneralRules : lexicon.CareRules)[category];
        return Lexicon.BestRule(heard.Concat(Told(gold)).Where(m => Lexicon.CategoryOf(m.Rule) == category && HasEffect(m.Rule, effect))) ?? general;
    }

    /// <summary>What the words about a row say: its evidence and the intent that a writer gave it count like the text.</summary>
    private List<LexiconMatch> Told(Gold gold) => lexicon.Find($"{gold.Focus} | {gold.Intent}");

    private IEnumerable<RuleCheck> Check(
        string category, string? violated, bool isMain, List<LexiconMatch> heard, Func<string, Evidence?> evidence) =>
        policy.Categories[policy.IndexOfCategory(category)].Rules.Select(rule =>
            rule.Id == violated ? new RuleCheck(rule.Id, Verdict.Violated, evidence(rule.Id))
            : isMain || heard.Exists(m => m.Rule == rule.Id) ? new RuleCheck(rule.Id, Verdict.Clear, null)
            : new RuleCheck(rule.Id, Verdict.NotApplicable, null));

    private Evidence? EvidenceFor(string rule, bool isDecisive, Conversation conversation, Gold gold) =>
        (isDecisive ? EvidencePicker.Locate(conversation, gold.Focus) : null) ?? _evidence.Pick(conversation, rule);

    private bool HasEffect(string rule, RuleEffect effect) => policy.TryGetRule(rule, out var found) && found.Effect == effect;

    private static Risk RiskOf(Label label, string category, Decision decision) => (label, decision) switch
    {
        (Label.Harmful, _) => category is "S1" or "S2" or "S3" or "S5" or "S8" or "S10" ? Risk.High : Risk.Medium,
        (_, Decision.Care) => category is "S8" or "S1" or "S10" ? Risk.Medium : Risk.Low,
        _ => category == Policy.NoCategory ? Risk.None : Risk.Low,
    };
}
