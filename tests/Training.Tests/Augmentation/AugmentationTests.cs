using System.Text;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Augmentation;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Tests.Augmentation;

public sealed class AugmentationTests
{
    private static readonly OfflineTeacher _teacher = new(PolicyReader.Default, new Lexicon(PolicyReader.Default), 7);
    private static readonly List<TrainingRow> _made = [.. new GeneratedRows(_teacher, 7).Make()];

    [Fact]
    public void Grammars_make_many_distinct_rows_without_open_slots()
    {
        Assert.True(_made.Count > 25_000, $"{_made.Count} rows");
        Assert.Equal(_made.Count, _made.Select(r => r.Conversation.Turns[0].Content).Distinct(StringComparer.Ordinal).Count());
        Assert.All(_made, row => Assert.DoesNotContain('{', row.Conversation.Turns[0].Content));
    }

    [Fact]
    public void Every_family_has_both_classes_in_balance() => Assert.All(_made.GroupBy(r => r.Source), family =>
        Assert.InRange(family.Count(r => r.Label == Label.Harmful) / (double)family.Count(), .25, .65));

    [Fact]
    public void Every_refuse_rule_has_generated_rows() => Assert.Empty(
        PolicyReader.Default.Categories.SelectMany(c => c.Rules).Where(r => r.Effect == RuleEffect.Refuse).Select(r => r.Id)
            .Except(_made.SelectMany(r => r.Trace.RuleChecks).Where(c => c.Verdict == Verdict.Violated).Select(c => c.Rule)));

    [Fact]
    public void A_way_of_asking_does_not_tell_the_label()
    {
        foreach (var opening in new[] { "how do i ", "write a guide", "teach me", "pretend you are", "what do i need to" })
        {
            var asked = _made.Where(r => r.Conversation.Turns[0].Content.Contains(opening, StringComparison.OrdinalIgnoreCase)).ToList();
            Assert.True(asked.Count > 20, opening);
            Assert.InRange(asked.Count(r => r.Label == Label.Harmful) / (double)asked.Count, .1, .8);
        }
    }

    [Fact]
    public void Generated_rows_are_the_same_for_the_same_seed_and_differ_for_another()
    {
        Assert.Equal(Texts(7), Texts(7));
        Assert.NotEqual(Texts(7), Texts(8));

        static IEnumerable<string> Texts(int seed) => new GeneratedRows(_teacher, seed).Make().Take(300).Select(r => r.Conversation.Turns[0].Content);
    }

    [Fact]
    public void Every_change_is_made_to_as_many_harmful_as_harmless_rows()
    {
        var derived = new DerivedRows(new ShortRequests(_made), _teacher, 7).Make().ToList();

        Assert.All(derived.GroupBy(r => r.Source), family => Assert.Equal(2 * family.Count(r => r.Label == Label.Harmful), family.Count()));
        Assert.All(derived, TestData.AssertConsistent);
    }

    [Fact]
    public void A_jailbreak_around_a_harmful_request_is_an_attack_too_and_around_a_harmless_one_is_answered()
    {
        var derived = new DerivedRows(new ShortRequests(_made), _teacher, 7).Make().Where(r => r.Source == "made/jailbreaks").ToLookup(r => r.Label == Label.Harmful);

        Assert.All(derived[true], row => Assert.Equal("S14", row.Trace.Assessment.Categories[0]));
        Assert.All(derived[false], row => Assert.NotEqual(Decision.Refuse, row.Trace.Path.Decision));
    }

    [Fact]
    public void Disguised_text_can_be_read_back()
    {
        Assert.Equal("Hello, World", Disguises.Rot13(Disguises.Rot13("Hello, World")));
        Assert.Equal("h3ll0".Length, Disguises.Leet("hello", new Draw(1, "x")).Length);
        var disguised = Enumerable.Range(0, 400).Select(i => Disguises.Apply("hello there", new Draw(i, ""))).ToList();
        Assert.Equal("hello there", Encoding.UTF8.GetString(Convert.FromBase64String(After("Decode this", ": "))));
        Assert.Equal("hello there", Encoding.UTF8.GetString(Convert.FromHexString(After("This is hex", ": "))));
        Assert.Equal("hello there", Uri.UnescapeDataString(After("Open this query", "?q=")));
        Assert.Contains(disguised, t => t != "hello there" && t.Replace("\u200B", "", StringComparison.Ordinal) == "hello there");
        Assert.Contains(disguised, t => t == "ｈｅｌｌｏ　ｔｈｅｒｅ");

        string After(string start, string mark) => disguised.First(t => t.StartsWith(start, StringComparison.Ordinal)).Split(mark)[1];
    }

    [Fact]
    public void A_request_that_is_told_in_pieces_or_come_back_to_stays_what_it_is()
    {
        var derived = new DerivedRows(new ShortRequests(_made), _teacher, 7).Make().ToLookup(r => r.Source);
        var texts = _made.ToLookup(r => r.Conversation.Turns[0].Content, r => r.Label == Label.Harmful);

        Assert.All(derived["made/returns"], row => Assert.Contains(row.Label == Label.Harmful, texts[row.Conversation.Turns[0].Content]));
        Assert.All(derived["made/pieces"], row => Assert.Contains(
            row.Label == Label.Harmful,
            texts[string.Join(' ', row.Conversation.Turns.Where(t => t.Role == Role.User).Select(t => t.Content.Split(": ", 2)[1].Split('\n')[0]).Where(t => t.Length > 0))]));
        Assert.All(derived["made/returns"], row => Assert.InRange(row.Conversation.Turns.Count, 5, 7));
    }

    [Fact]
    public void No_dev_row_is_used_to_make_others()
    {
        var marked = _made.Select(r => r with { Split = DataSplit.Dev });

        Assert.True(new ShortRequests(marked).IsEmpty);
    }
}
