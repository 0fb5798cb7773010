using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using SaferGuard.Reasoning.Tests.CrossCheck;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Tokens;

public sealed class GuardTokenizerTests
{
    private static readonly GuardTokenizer Tokenizer = TokenizerFixture.Tokenizer;

    private static readonly string[] Pieces =
    [
        "the", " ", "  ", "\n", "\r\n", "'s", "'LL", "1234", "²", "é", "e\u0301", "日本語", "한국어", "नमस्ते", "😀", "👩‍👩‍👧", "🇩🇪", "𝒜", "𝟘𝟙", "\u0085",
        "\u3000", "\u200d", "\0", "\uD83D", "\uDE00", "<|refuse|>", "<|", "|>", "aaaaaaaa",
    ];

    /// <summary>Any text, and texts of pieces that tokenisers get wrong.</summary>
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String, Gen.Int[0, Pieces.Length - 1].Array[0, 12].Select(choices => string.Concat(choices.Select(i => Pieces[i]))));

    [Fact]
    public void Decoding_gives_the_text_back_with_lone_surrogates_replaced() => Texts.Sample(text =>
        Tokenizer.Decode(Tokenizer.Ids(text)) == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_token_covers_exactly_the_characters_that_its_bytes_touch() => Texts.Sample(text =>
    {
        // For each byte, the character that it belongs to.
        var owners = new List<(int Start, int End)>();
        var offset = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var character = (offset, offset += rune.Utf16SequenceLength);
            owners.AddRange(Enumerable.Repeat(character, rune.Utf8SequenceLength));
        }

        var first = 0;
        foreach (var span in Tokenizer.Spans(text))
        {
            var last = first + Tokenizer.Bytes(span.Id).Length - 1;
            Assert.Equal((owners[first].Start, owners[last].End), (span.Start, span.End));
            first = last + 1;
        }

        Assert.Equal(owners.Count, first);
    });

    [Fact]
    public void Text_never_becomes_a_special_token() => Texts.Sample(text => !Tokenizer.Ids(text).Any(Tokenizer.IsSpecial));

    [Fact]
    public void Encoding_appends()
    {
        List<TokenSpan> spans = [new(7, 0, 0)];
        Tokenizer.Encode("", spans);
        Tokenizer.Encode("a", spans);
        Assert.Equal([new TokenSpan(7, 0, 0), new TokenSpan(Tokenizer.Ids("a")[0], 0, 1)], spans);
    }

    [Fact]
    public void Special_tokens_have_no_bytes_and_decode_to_nothing()
    {
        var refuse = Tokenizer.SpecialId("<|refuse|>");
        Assert.True(Tokenizer.IsSpecial(refuse));
        Assert.True(Tokenizer.Bytes(refuse).IsEmpty);
        Assert.Equal("ab", Tokenizer.Decode([Tokenizer.Ids("a")[0], refuse, Tokenizer.Ids("b")[0]]));
    }

    [Fact]
    public void Unknown_special_tokens_are_reported_by_name() =>
        Assert.Contains("<|nonsense|>", Assert.Throws<KeyNotFoundException>(() => Tokenizer.SpecialId("<|nonsense|>")).Message, StringComparison.Ordinal);

    [Fact]
    public void With_ignore_merges_a_piece_that_is_a_token_is_not_merged()
    {
        GuardTokenizer Load(bool ignoresMerges) => TokenizerFixture.Load(root =>
        {
            root["model"]!["merges"] = new JsonArray();
            root["model"]!["ignore_merges"] = ignoresMerges;
        });

        Assert.Equal(4, Load(ignoresMerges: false).Ids(" the").Length);
        Assert.Single(Load(ignoresMerges: true).Ids(" the"));
        Assert.Equal(3, Load(ignoresMerges: true).Ids("\uFFFD").Length);
    }

    [Fact]
    public void Concurrent_callers_get_the_tokens_of_a_lone_caller()
    {
        var texts = CrossCheckFixtures.Texts();
        var alone = texts.ConvertAll(Tokenizer.Ids);
        var fresh = TokenizerFixture.WithSplitter("gpt2");
        Parallel.For(0, 2000, i => Assert.Equal(alone[i % texts.Count], fresh.Ids(texts[i % texts.Count])));
    }
}
