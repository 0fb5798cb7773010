using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Tokens;

public sealed class TokenizerFileTests
{
    public static TheoryData<string, Action<JsonNode>> Refusals() => new()
    {
        { "'model' is missing", root => root.AsObject().Remove("model") },
        { "model type 'Unigram' is not supported", root => root["model"]!["type"] = "Unigram" },
        { "model field 'wordpiece' is not supported", root => root["model"]!["wordpiece"] = 1 },
        { "'dropout' is not supported", root => root["model"]!["dropout"] = 0.1 },
        { "'byte_fallback' is not supported", root => root["model"]!["byte_fallback"] = true },
        { "'continuing_subword_prefix' is not supported", root => root["model"]!["continuing_subword_prefix"] = "##" },
        { "'end_of_word_suffix' is not supported", root => root["model"]!["end_of_word_suffix"] = "</w>" },
        { "normalizer 'NFKC' is not supported", root => root["normalizer"] = new JsonObject { ["type"] = "NFKC" } },
        { "'lstrip' of added token '<|pad|>' is not supported", root => MakeOrdinary(root, "lstrip") },
        { "'rstrip' of added token '<|pad|>' is not supported", root => MakeOrdinary(root, "rstrip") },
        { "'single_word' of added token '<|pad|>' is not supported", root => MakeOrdinary(root, "single_word") },
        { "is not in the form NFC", AddTokenThatIsNotComposed },
        { "appears twice", root => root["added_tokens"]!.AsArray().Add(root["added_tokens"]![0]!.DeepClone()) },
        { "has the ids 0 and 5000", root => root["added_tokens"]![0]!["id"] = 5000 },
        { "no token for 'a'", root => Rename(root, "a", "zzzz") },
        { "is not byte-level", root => root["model"]!["vocab"]!["a b"] = 1200 },
        { "two tokens have the same id", root => root["model"]!["vocab"]!["zzzz"] = 100 },
        { "the id 1048576 of 'zzzz' is out of range", root => root["model"]!["vocab"]!["zzzz"] = 1 << 20 },
        { "the id -1 of 'zzzz' is out of range", root => root["model"]!["vocab"]!["zzzz"] = -1 },
        { "refers to 'qqqqqq'", root => root["model"]!["merges"]!.AsArray().Add("qqqqqq a") },
        { "is not a pair of tokens", root => root["model"]!["merges"]!.AsArray().Add("a b c") },
        { "is not a pair of tokens", root => root["model"]!["merges"]!.AsArray().Add(new JsonArray("a")) },
        { "appears twice", root => root["model"]!["merges"]!.AsArray().Add(root["model"]!["merges"]![0]!.DeepClone()) },
        { "refers to '<|', which is no ordinary token", MakeMergeOfSpecialToken },
        { "'add_prefix_space' is not supported", root => root["pre_tokenizer"]!["add_prefix_space"] = true },
        { "is not ByteLevel", root => root["pre_tokenizer"] = new JsonObject { ["type"] = "Metaspace" } },
        { "'pre_tokenizer' is missing", root => root["pre_tokenizer"] = null },
        { "pattern '(a+)+$' is not supported", root => root["pre_tokenizer"] = Sequence(TokenizerFixture.Split("(a+)+$"), usesRegex: false) },
        { "Punctuation, ByteLevel is not supported", root => root["pre_tokenizer"] = Sequence(new JsonObject { ["type"] = "Punctuation" }, usesRegex: true) },
        { "tokenizer.json:", root => root["model"]!["vocab"]!["a"] = "seven" },
        { "tokenizer.json:", root => root["model"]!["vocab"] = new JsonArray() },
        { "tokenizer.json:", root => root["added_tokens"] = 3 },
        { "tokenizer.json:", root => root["pre_tokenizer"] = "ByteLevel" },
    };

    [Theory]
    [MemberData(nameof(Refusals), DisableDiscoveryEnumeration = true)]
    public void What_is_not_supported_is_refused_with_its_reason(string reason, Action<JsonNode> change)
    {
        var refusal = Assert.Throws<InvalidDataException>(() => TokenizerFixture.Load(change));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"model\":")]
    public void What_is_no_tokeniser_is_refused(string json) => Assert.Throws<InvalidDataException>(() => TokenizerFixture.Load(json));

    [Fact]
    public void A_token_with_two_ids_is_refused() => Assert.Throws<InvalidDataException>(() =>
        TokenizerFixture.Load(TokenizerFixture.Json().Replace("\"vocab\":{", "\"vocab\":{\"zz\":1200,\"zz\":1201,", StringComparison.Ordinal)));

    [Fact]
    public void A_huge_file_is_refused_unread()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.OpenWrite(path)) file.SetLength((64 << 20) + 1);
            Assert.Contains("64 MB", Assert.Throws<InvalidDataException>(() => GuardTokenizer.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Merges_may_be_pairs_of_strings()
    {
        var tokenizer = TokenizerFixture.Load(root => root["model"]!["merges"] = new JsonArray(
            [.. root["model"]!["merges"]!.AsArray().Select(m => new JsonArray([.. m!.GetValue<string>().Split(' ').Select(t => JsonValue.Create(t))]))]));
        Assert.Equal(TokenizerFixture.Tokenizer.Ids("the same tokens"), tokenizer.Ids("the same tokens"));
    }

    [Fact]
    public void Special_tokens_need_not_be_in_the_vocabulary()
    {
        var tokenizer = TokenizerFixture.Load(root => root["model"]!["vocab"]!.AsObject().Remove("<|pad|>"));
        Assert.Equal(0, tokenizer.SpecialId("<|pad|>"));
    }

    private static JsonObject Sequence(JsonObject first, bool usesRegex) => TokenizerFixture.Sequence(first, TokenizerFixture.ByteLevel(usesRegex));

    private static void Rename(JsonNode root, string token, string name)
    {
        var vocabulary = root["model"]!["vocab"]!.AsObject();
        var id = vocabulary[token]!.GetValue<int>();
        vocabulary.Remove(token);
        vocabulary[name] = id;
    }

    private static void MakeOrdinary(JsonNode root, string field)
    {
        root["added_tokens"]![0]!["special"] = false;
        root["added_tokens"]![0]![field] = true;
    }

    private static void AddTokenThatIsNotComposed(JsonNode root)
    {
        root["normalizer"] = new JsonObject { ["type"] = "NFC" };
        root["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = 1200, ["content"] = "e\u0301", ["normalized"] = true });
    }

    /// <summary>Makes "&lt;|" special while a merge still makes it from text.</summary>
    private static void MakeMergeOfSpecialToken(JsonNode root)
    {
        root["model"]!["vocab"]!["<|"] = 1200;
        root["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = 1200, ["content"] = "<|", ["special"] = true });
        root["model"]!["merges"]!.AsArray().Add("< |");
    }
}
