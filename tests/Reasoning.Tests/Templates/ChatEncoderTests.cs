using CsCheck;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Tests.Tokens;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Templates;

public sealed class ChatEncoderTests
{
    private static readonly GuardTokenizer Tokenizer = TokenizerFixture.Tokenizer;
    private static readonly ChatEncoder Encoder = new(Tokenizer);

    [Fact]
    public void Special_tokens_of_the_template_are_recognised_and_those_of_the_conversation_are_text()
    {
        const string Special = "<|refuse|>";
        var text = Special + "a " + Special + Special;
        var ids = Encoder.Encode(new ChatPrompt(text, [new TextRange(10, 22)]));
        Assert.Equal([Tokenizer.SpecialId(Special), .. Tokenizer.Ids("a " + Special), Tokenizer.SpecialId(Special)], ids);
    }

    [Fact]
    public void A_special_token_that_is_partly_of_the_conversation_is_text()
    {
        const string Text = "x<|refuse|>y";
        for (var start = 1; start < 11; start++)
        {
            for (var end = start + 1; end <= 11; end++)
                Assert.Equal(Tokenizer.Ids(Text), Encoder.Encode(new ChatPrompt(Text, [new TextRange(start, end)])));
        }

        Assert.Contains(Tokenizer.SpecialId("<|refuse|>"), Encoder.Encode(new ChatPrompt(Text, [new TextRange(0, 1), new TextRange(11, 12)])));
    }

    [Fact]
    public void Where_nothing_is_special_the_border_between_template_and_conversation_does_not_change_tokens() =>
        Gen.Select(Gen.String[0, 20], Gen.Int[0, 20], Gen.Int[0, 20]).Sample((text, a, b) =>
        {
            var (start, end) = (Math.Min(Math.Min(a, b), text.Length), Math.Min(Math.Max(a, b), text.Length));
            Assert.Equal(Tokenizer.Ids(text), Encoder.Encode(new ChatPrompt(text, start < end ? [new TextRange(start, end)] : [])));
        });

    [Fact]
    public void The_longest_special_token_that_fits_is_taken()
    {
        var tokenizer = TokenizerFixture.Load(root =>
        {
            var added = root["added_tokens"]!.AsArray();
            var next = added.Max(t => t!["id"]!.GetValue<int>()) + 1;
            next = Math.Max(next, root["model"]!["vocab"]!.AsObject().Max(t => t.Value!.GetValue<int>()) + 1);
            added.Add(new System.Text.Json.Nodes.JsonObject { ["id"] = next, ["content"] = "<|refuse|>!", ["special"] = true });
        });
        Assert.Equal(
            [tokenizer.SpecialId("<|refuse|>!"), tokenizer.SpecialId("<|refuse|>")],
            new ChatEncoder(tokenizer).Encode(new ChatPrompt("<|refuse|>!<|refuse|>", [])));
    }
}
