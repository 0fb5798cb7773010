using System.Text.Json;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Tests.Tokens;

namespace SaferGuard.Reasoning.Tests.CrossCheck;

/// <summary>Tokens against those of <c>@huggingface/tokenizers</c>.</summary>
public sealed class TokenizerCrossCheckTests
{
    [Theory]
    [InlineData("gpt-2")]
    [InlineData("smollm2")]
    [InlineData("llama-3")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mistral-nemo")]
    [InlineData("added")]
    public void Texts_have_the_tokens_of_Hugging_Face(string style)
    {
        var tokenizer = CrossCheckFixtures.Tokenizer(style);
        foreach (var encoding in CrossCheckFixtures.Read("Tokenizers/encodings.json").EnumerateArray())
            Assert.Equal(Ids(encoding.GetProperty(style)), tokenizer.Ids(encoding.GetProperty("text").GetString()!));
    }

    [Theory]
    [InlineData("smollm2", 17)]
    [InlineData("llama-3", 33)]
    [InlineData("qwen2", 17)]
    [InlineData("qwen3", 17)]
    [InlineData("mistral-nemo", 16)]
    public void Rendered_conversations_have_the_tokens_of_Hugging_Face(string style, int conversations)
    {
        var encoder = new ChatEncoder(CrossCheckFixtures.Tokenizer(style));
        var texts = CrossCheckFixtures.Read("Templates/renders.json").EnumerateArray()
            .Where(r => r.GetProperty("add_generation_prompt").GetBoolean() && r.TryGetProperty("text", out _))
            .ToDictionary(Key, r => r.GetProperty("text").GetString()!);
        var chats = CrossCheckFixtures.Read("Tokenizers/chats.json").EnumerateArray().Where(c => c.GetProperty("style").GetString() == style).ToList();
        Assert.Equal(conversations, chats.Count);
        foreach (var chat in chats) Assert.Equal(Ids(chat.GetProperty("ids")), encoder.Encode(new ChatPrompt(texts[Key(chat)], [])));
    }

    private static (string?, string?) Key(JsonElement entry) =>
        (entry.GetProperty("template").GetString(), entry.GetProperty("conversation").GetString());

    private static IEnumerable<int> Ids(JsonElement ids) => ids.EnumerateArray().Select(id => id.GetInt32());
}
