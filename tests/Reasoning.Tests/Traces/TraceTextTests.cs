using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Traces;

public sealed partial class TraceTextTests
{
    private static readonly Trace Refusal = new(
        new AssessmentStage("The user wants to be told.", ["C", "B"], Risk.High),
        [
            new RuleCheck("C.1", Verdict.Clear, null),
            new RuleCheck("C.2", Verdict.Violated, Evidence.Locate(TraceFixture.Conversation, "tell me")),
            new RuleCheck("B.1", Verdict.NotApplicable, null),
        ],
        new PathStage(Decision.Refuse, "Decline."));

    private const string RefusalText =
        "<|assess_response|><|categories|><|risk|><|high|><|c3|><|r1|><|?|><|r2|><|?|><|c2|><|r1|><|?|>"
        + "<|verdicts|><|clear|><|violated|><|not_applicable|><|path|><|refuse|>"
        + "<|intent|>The user wants to be told.<|end|><|evidence|><|c3|><|r2|>tell me<|end|><|strategy|>Decline.<|end|>";

    [Fact]
    public void A_full_trace_is_written_in_the_order_of_the_format() => Assert.Equal(RefusalText, Write(Refusal));

    [Fact]
    public void A_trace_without_categories_checks_no_rule() => Assert.Equal(
        "<|assess|><|categories|><|risk|><|none|><|c0|><|path|><|answer|>",
        TraceWriter.Write(new Trace(new AssessmentStage(null, [], Risk.None), [], new PathStage(Decision.Answer, null)), TraceFixture.Policy, Subject.Prompt));

    [Fact]
    public void What_was_written_is_read_back() => TraceFixture.Traces.Sample(trace => Json(Parse(Write(trace))) == Json(trace));

    [Fact]
    public void A_changed_text_is_refused_or_is_another_trace_in_its_only_form()
    {
        // Cuts, repeats, swaps and alters tokens and free text.
        var edit = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 999], Gen.Int[0, 999]);
        Gen.Select(TraceFixture.Traces, edit.Array[1, 3]).Sample((trace, edits) =>
        {
            var text = edits.Aggregate(Write(trace), (t, e) => Edit(t, e.Item1, e.Item2, e.Item3));
            try
            {
                Assert.Equal(text, Write(Parse(text)));
            }
            catch (FormatException e)
            {
                Assert.StartsWith("Position ", e.Message, StringComparison.Ordinal);
            }
        });
    }

    [Theory]
    [InlineData("<|assess_response|>", "<|assess|>", "Position 0 of the trace: expected <|assess_response|>")]
    [InlineData("<|high|>", "<|huge|>", "expected <|none|> or <|low|> or <|medium|> or <|high|>")]
    [InlineData("<|c3|>", "<|c5|>", "expected <|c1|> or <|c2|> or <|c3|> or <|c4|>")]
    [InlineData("<|c2|>", "<|c3|>", "expected <|c1|> or <|c2|> or <|c4|>")]
    [InlineData("<|r2|><|?|>", "", "expected <|r2|><|?|>")]
    [InlineData("<|not_applicable|>", "", "expected <|violated|> or <|clear|> or <|not_applicable|>")]
    [InlineData("<|clear|>", "<|clear|><|clear|>", "expected <|path|>")]
    [InlineData("<|refuse|>", "<|answer|>", "expected <|care|> or <|refuse|>")]
    [InlineData("<|violated|>", "<|clear|>", "expected <|answer|> or <|care|>")]
    [InlineData("<|r2|>tell", "<|r1|>tell", "expected the end of the trace")]
    [InlineData("tell me", "tell you", "expected evidence that the conversation has verbatim")]
    [InlineData("Decline.", "Decline<|path|>.", "expected <|end|>")]
    [InlineData("Decline.", " Decline.", "expected a text without white space around it")]
    [InlineData("Decline.", "", "expected a text without white space around it")]
    [InlineData("Decline.<|end|>", "Decline.", "expected <|end|>")]
    [InlineData("Decline.<|end|>", "Decline.<|end|> ", "expected the end of the trace")]
    public void What_is_wrong_is_named_with_its_position(string part, string change, string expectation)
    {
        var at = RefusalText.IndexOf(part, StringComparison.Ordinal);
        var text = RefusalText[..at] + change + RefusalText[(at + part.Length)..];
        Assert.Contains(expectation, Assert.Throws<FormatException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_verifies_at_most_three_categories() => Assert.Contains("expected <|verdicts|>", Assert.Throws<FormatException>(() => Parse(
        RefusalText.Replace("<|c2|>", "<|c1|><|r1|><|?|><|r2|><|?|><|r3|><|?|><|c4|><|r1|><|?|><|r2|><|?|><|r3|><|?|><|r4|><|?|><|c2|>", StringComparison.Ordinal)))
        .Message, StringComparison.Ordinal);

    public static TheoryData<Trace> Contradictions() =>
    [
        Refusal with { Path = new PathStage(Decision.Answer, null) },
        Refusal with { Path = new PathStage(Decision.Refuse, " Decline.") },
        Refusal with { Path = new PathStage(Decision.Refuse, "") },
        Refusal with { RuleChecks = [.. Refusal.RuleChecks.Skip(1)] },
        Refusal with { RuleChecks = [.. Refusal.RuleChecks.Reverse()] },
        Refusal with { RuleChecks = [.. Refusal.RuleChecks.Select(c => c with { Evidence = new Evidence("No", 0, 2, 1) })] },
        Refusal with { Assessment = Refusal.Assessment with { Categories = ["C", "Z"] } },
        Refusal with { Assessment = Refusal.Assessment with { Categories = ["C", "C"] } },
        Refusal with { Assessment = Refusal.Assessment with { Categories = ["A", "B", "C", "D"] } },
    ];

    [Theory]
    [MemberData(nameof(Contradictions), DisableDiscoveryEnumeration = true)]
    public void A_trace_that_contradicts_itself_is_not_written(Trace trace) => Assert.Throws<ArgumentException>(() => Write(trace));

    [Fact]
    public void Evidence_is_located_in_the_last_turn_that_has_it()
    {
        Assert.Equal(new Evidence("first", 4, 9, 1), Evidence.Locate(TraceFixture.Conversation, "first"));
        Assert.Equal(new Evidence("<|end|>", 5, 12, 2), Evidence.Locate(TraceFixture.Conversation, "<|end|>"));
        Assert.Null(Evidence.Locate(TraceFixture.Conversation, "nowhere"));
    }

    [Theory]
    [InlineData(Decision.Refuse, false)]
    [InlineData(Decision.Care, true)]
    [InlineData(Decision.Answer, false)]
    public void A_violated_rule_that_asks_for_care_allows_neither_refusal_nor_plain_answer(Decision decision, bool allowed) => Assert.Equal(
        allowed, Consistency.Allows(decision, [(RuleEffect.Care, Verdict.Violated), (RuleEffect.Refuse, Verdict.Clear)]));

    private static string Write(Trace trace) => TraceWriter.Write(trace, TraceFixture.Policy, TraceFixture.Conversation.Subject);

    private static Trace Parse(string text) => TraceParser.Parse(text, TraceFixture.Policy, TraceFixture.Conversation);

    private static string Json(Trace trace) => JsonSerializer.Serialize(trace);

    private static string Edit(string text, int kind, int first, int second)
    {
        var parts = Part().Matches(text).Select(m => m.Value).ToList();
        if (parts.Count == 0) return text;
        var (a, b) = (first % parts.Count, second % parts.Count);
        switch (kind)
        {
            case 0: parts.RemoveAt(a); break;
            case 1: parts.Insert(b, parts[a]); break;
            case 2: (parts[a], parts[b]) = (parts[b], parts[a]); break;
            case 3: parts[a] = TraceFormat.SpecialTokens[second % TraceFormat.SpecialTokens.Count]; break;
            default: parts[a] = parts[a][..(second % parts[a].Length)]; break;
        }

        return string.Concat(parts);
    }

    /// <summary>A special token or a character.</summary>
    [GeneratedRegex(@"<\|[a-z0-9_?]+\|>|.", RegexOptions.Singleline)]
    private static partial Regex Part();
}
