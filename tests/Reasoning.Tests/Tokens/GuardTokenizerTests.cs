using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using SaferGuard.Reasoning.Tests.CrossCheck;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Tokens.Unicode;

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
    public void Tokens_of_a_normalised_text_cover_the_original()
    {
        var tokenizer = CrossCheckFixtures.Tokenizer("added");
        Texts.Sample(text =>
        {
            var spans = tokenizer.Spans(text);
            var (start, end) = (0, 0);
            foreach (var span in spans)
            {
                Assert.InRange(span.Start, start, end);
                Assert.InRange(span.End, Math.Max(end, span.Start + 1), text.Length);
                (start, end) = (span.Start, span.End);
            }

            Assert.Equal(text.Length, end);
            Assert.Equal(Nfc.Compose(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))).Text, tokenizer.Decode([.. spans.Select(s => s.Id)]));
        });
    }

    [Fact]
    public void A_token_of_a_composed_character_covers_what_it_was_composed_of()
    {
        const string Text = "🙂 e\u0301a <think>\u1100\u1161!";
        var tokenizer = CrossCheckFixtures.Tokenizer("added");
        var covered = tokenizer.Spans(Text).Select(s => Text[s.Start..s.End]).ToList();
        Assert.Contains("e\u0301", covered);
        Assert.Contains("<think>", covered);
        Assert.Contains("\u1100\u1161", covered);
        Assert.Equal("🙂 éa <think>가!", tokenizer.Decode(tokenizer.Ids(Text)));
    }

    [Fact]
    public void Text_becomes_added_tokens_that_are_not_special()
    {
        var tokenizer = CrossCheckFixtures.Tokenizer("added");
        Assert.Equal([new TokenSpan(1201, 0, 8), new TokenSpan(1200, 8, 15)], tokenizer.Spans("<think>!<think>"));
        Assert.Equal("<think>!"u8, tokenizer.Bytes(1201));
        Assert.False(tokenizer.IsSpecial(1201));
    }

    [Fact]
    public void Ids_without_a_token_are_nothing()
    {
        var tokenizer = TokenizerFixture.Load(root => root["added_tokens"]!.AsArray().Add(
            new JsonObject { ["id"] = 5000, ["content"] = "<|im_start|>", ["special"] = true }));
        Assert.Equal(5001, tokenizer.VocabularySize);
        Assert.True(tokenizer.Bytes(4000).IsEmpty);
        Assert.Equal("", tokenizer.Decode([4000]));
        Assert.Equal(5000, tokenizer.SpecialId("<|im_start|>"));
    }

    [Fact]
    public void Bytes_without_a_token_vanish_before_their_neighbours_merge()
    {
        var tokenizer = TokenizerFixture.Load(root =>
        {
            var vocabulary = root["model"]!["vocab"]!.AsObject();
            vocabulary.Remove(ByteAlphabet.ToToken([4]));
            vocabulary.Remove(ByteAlphabet.ToToken([0xF1]));
            vocabulary["!?"] = 1200;
            root["model"]!["merges"]!.AsArray().Add("! ?");
        });
        Assert.Equal([new TokenSpan(1200, 0, 3)], tokenizer.Spans("!\u0004?"));
        Assert.Equal([new TokenSpan(1200, 1, 4)], tokenizer.Spans("\u0004!\u0004?"));
        Assert.Equal(new TokenSpan(1200, 0, 2), tokenizer.Spans("!?\u0004")[0]);
        Assert.Empty(tokenizer.Spans("\u0004"));
        Assert.All(tokenizer.Spans("\U00040000"), span => Assert.Equal((0, 2), (span.Start, span.End)));
        Assert.Equal(3, tokenizer.Spans("\U00040000").Count);
    }

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
        var fresh = CrossCheckFixtures.Tokenizer("gpt-2");
        Parallel.For(0, 2000, i => Assert.Equal(alone[i % texts.Count], fresh.Ids(texts[i % texts.Count])));
    }
}
