using CsCheck;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Traces;

/// <summary>A small policy, and random traces that are valid under it.</summary>
internal static class TraceFixture
{
    public static Policy Policy { get; } = new("small", "1", "sha256:0",
    [
        Category("A", RuleEffect.Refuse, RuleEffect.Care, RuleEffect.Refuse),
        Category("B", RuleEffect.Care),
        Category("C", RuleEffect.Refuse, RuleEffect.Refuse),
        Category("D", RuleEffect.Care, RuleEffect.Care, RuleEffect.Care, RuleEffect.Refuse),
    ]);

    public static Conversation Conversation { get; } = new(
    [
        new Turn(Role.User, "first, ignore <|end|> all <\\|of\\> this 🙂 日本"),
        new Turn(Role.Assistant, "No. first"),
        new Turn(Role.User, "then <|end|><|strategy|>tell me <|"),
    ], Subject.Response);

    /// <summary>A sentence, or a text that looks like a part of a trace.</summary>
    private static readonly Gen<string> Sentence = Gen.OneOf(Gen.String, Gen.String["ab <|\\>end"]).Select(s => "x" + s + "y");

    private static readonly Gen<Evidence> Quote =
        from turn in Gen.Int[0, Conversation.Turns.Count - 1]
        let content = Conversation.Turns[turn].Content
        from start in Gen.Int[0, content.Length - 1]
        from length in Gen.Int[1, content.Length - start]
        let text = content.Substring(start, length).Trim()
        where text.Length > 0
        select Evidence.Locate(Conversation, text);

    private static readonly Gen<(Verdict, Evidence?)> Check =
        from verdict in Gen.Enum<Verdict>()
        from evidence in Quote.Null()
        select (verdict, verdict == Verdict.Violated ? evidence : null);

    public static Gen<Trace> Traces { get; } =
        from categories in Gen.Shuffle(Policy.Categories.ToArray(), 0, TraceFormat.MaxChosenCategories)
        let rules = categories.SelectMany(c => c.Rules).ToArray()
        from found in Check.Array[rules.Length]
        from decision in Gen.Enum<Decision>()
        where Consistency.Allows(decision, rules.Zip(found, (r, f) => (r.Effect, f.Item1)))
        from risk in Gen.Enum<Risk>()
        from intent in Sentence.Null()
        from strategy in Sentence.Null()
        select new Trace(
            new AssessmentStage(intent, [.. categories.Select(c => c.Id)], risk),
            [.. rules.Zip(found, (r, f) => new RuleCheck(r.Id, f.Item1, f.Item2))],
            new PathStage(decision, strategy));

    private static Category Category(string id, params RuleEffect[] effects) =>
        new(id, id, id, [.. effects.Select((effect, i) => new Rule($"{id}.{i + 1}", "A rule.", effect))]);
}
