using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>A teacher's answer, read strictly: a trace that <see cref="TraceWriter"/> writes and that agrees with the row's label, or every error.</summary>
internal sealed record TraceAnswer(Trace? Trace, IReadOnlyList<string> Errors)
{
    /// <summary>About as long as <see cref="TraceFormat.MaxSentenceTokens"/> tokens are in English.</summary>
    private const int MaxSentenceCharacters = 200;

    private const int MaxEvidenceCharacters = 120;

    public static TraceAnswer Read(string answer, TrainingRow row, Policy policy)
    {
        var errors = new List<string>();
        if (AnswerFields.Parse(answer, errors, "intent", "risk", "rule_checks", "decision", "strategy") is not { } fields)
            return new TraceAnswer(null, errors);

        try
        {
            var intent = fields.Sentence("intent", MaxSentenceCharacters);
            var risk = fields.OneOf<Risk>("risk");
            var shown = TeacherPrompt.Shown(row, policy);
            var checks = (fields.List("rule_checks", shown.Count) ?? [])
                .Zip(shown, (json, rule) => (json, rule))
                .Select((pair, i) => ReadCheck(
                    AnswerFields.Of(pair.json, $"rule_checks[{i}]", errors, "rule", "verdict", "evidence"), pair.rule, row.Conversation))
                .OfType<RuleCheck>()
                .ToList();
            var decision = fields.OneOf<Decision>("decision");
            if (checks.Count == shown.Count) RequireAgreement(fields, decision, row.Label, shown, checks);
            var strategy = fields.Sentence("strategy", MaxSentenceCharacters);
            return errors.Count > 0
                ? new TraceAnswer(null, errors)
                : new TraceAnswer(
                    new Trace(
                        new AssessmentStage(intent, row.Trace.Assessment.Categories, risk!.Value), checks, new PathStage(decision!.Value, strategy)),
                    []);
        }
        catch (InvalidOperationException)
        {
            // What reading half a surrogate pair throws.
            return new TraceAnswer(null, ["the answer has a text that is not Unicode"]);
        }
    }

    private static RuleCheck? ReadCheck(AnswerFields? fields, Rule rule, Conversation conversation)
    {
        if (fields is null) return null;
        var id = fields.Text("rule", maxCharacters: 24);
        if (id.Length > 0 && id != rule.Id) return fields.Fault<RuleCheck?>("rule", $"is not {rule.Id}, which comes here", null);
        if (fields.OneOf<Verdict>("verdict") is not { } verdict) return null;
        if (verdict != Verdict.Violated)
        {
            return fields.Has("evidence")
                ? fields.Fault<RuleCheck?>("evidence", "is given for a rule that is not violated", null)
                : new RuleCheck(rule.Id, verdict, null);
        }

        var text = fields.Text("evidence", MaxEvidenceCharacters);
        if (text.Length == 0) return null;
        return Evidence.Locate(conversation, text) is { } evidence
            ? new RuleCheck(rule.Id, verdict, evidence)
            : fields.Fault<RuleCheck?>("evidence", "does not stand in the conversation as it is written", null);
    }

    private static void RequireAgreement(
        AnswerFields fields, Decision? decision, Label label, IReadOnlyList<Rule> shown, List<RuleCheck> checks)
    {
        var violated = shown.Zip(checks).Where(p => p.Second.Verdict == Verdict.Violated).Select(p => p.First.Effect).ToList();
        var follows = violated.Contains(RuleEffect.Refuse) ? Decision.Refuse : violated.Count > 0 ? Decision.Care : Decision.Answer;
        if (decision is { } given && given != follows)
            fields.Fault("decision", $"is {Names.Of(given)}, but {Names.Of(follows)} follows from the verdicts", 0);
        if ((label == Label.Harmful) != (follows == Decision.Refuse))
            fields.Fault("rule_checks", $"lead to {Names.Of(follows)}, but the label is {Names.Of(label)}", 0);
    }
}
