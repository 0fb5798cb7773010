using System.Diagnostics;
using CsCheck;
using SaferGuard.Reasoning.Tokens.Unicode;

namespace SaferGuard.Reasoning.Tests.Tokens.Unicode;

public sealed class NfcTests
{
    /// <summary>Characters that join, that are composed, and that never are.</summary>
    private static readonly string[] Pieces =
    [
        "a", "e", "ſ", "q", "\u0301", "\u0300", "\u0323", "\u0307", "\u0338", "\u0344", "\u0315", "é", "ṩ", "ẛ", "\u1100", "\u1161", "\u11A8", "가",
        "각", "\u0958", "\u0915", "\u093C", "\u09C7", "\u09BE", "\u0F71", "\u0F73", "\u212B", "\u2126", "豈", "𝅗𝅥", "😀", "\u3099", "か",
    ];

    private static readonly Gen<string> Texts = Gen.Int[0, Pieces.Length - 1].Array[0, 16].Select(choices => string.Concat(choices.Select(i => Pieces[i])));

    [Theory]
    [InlineData("e\u0301", "é")]
    [InlineData("a\u0323\u0302", "ậ")]
    [InlineData("a\u0302\u0323", "ậ")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")]
    [InlineData("s\u0323\u0307", "ṩ")]
    [InlineData("\u212B", "Å")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u1112\u1161\u11AB", "한")]
    [InlineData("가\u11A8", "각")]
    [InlineData("각\u11A8", "각\u11A8")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("\u0F73", "\u0F71\u0F72")]
    [InlineData("a\u0315\u0300\u05AE\u0300b", "à\u05AE\u0300\u0315b")]
    [InlineData("\u0301e", "\u0301e")]
    [InlineData("a\u05AE\u0300", "à\u05AE")]
    [InlineData("a\u0300\u0300", "à\u0300")]
    [InlineData("\u09C7\u09BE", "\u09CB")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("\uF900", "\u8C48")]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    public void Text_becomes_the_form_C(string text, string expected) => Assert.Equal(expected, Nfc.Compose(text).Text);

    [Fact]
    public void What_is_composed_stays() => Texts.Sample(text =>
    {
        var composed = Nfc.Compose(text).Text;
        Assert.Equal(composed, Nfc.Compose(composed).Text);
    });

    [Fact]
    public void Texts_of_the_same_parts_become_the_same() => Texts.Sample(text =>
    {
        var parts = new List<int>();
        foreach (var rune in text.EnumerateRunes()) CanonicalTable.Decompose(rune.Value, parts);
        Assert.Equal(Nfc.Compose(text).Text, Nfc.Compose(string.Concat(parts.Select(char.ConvertFromUtf32))).Text);
    });

    [Fact]
    public void The_sources_cover_the_text_in_order() => Texts.Sample(text =>
    {
        var normalized = Nfc.Compose(text);
        var (start, end) = (0, 0);
        for (var i = 0; i < normalized.Text.Length; i++)
        {
            var source = normalized.SourceOf(i, i + 1);
            Assert.True(source.Start == end || source == (start, end));
            (start, end) = source;
        }

        Assert.Equal(text.Length, end);
    });

    [Fact]
    public void A_character_under_countless_marks_is_composed_in_time()
    {
        var marks = string.Concat(Enumerable.Repeat("\u0301\u0323\u05AE", 100_000));
        var watch = Stopwatch.StartNew();
        Assert.StartsWith("ạ\u0323\u0323", Nfc.Compose("a" + marks).Text, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }
}
