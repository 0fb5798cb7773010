using System.Text.Json;
using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Tests.Tokens;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.CrossCheck;

/// <summary>What implementations that this project did not write answer: see <c>tests/CrossCheck</c>.</summary>
internal static class CrossCheckFixtures
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "CrossCheck");

    public static JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name))).RootElement;

    public static string ReadText(string name) => File.ReadAllText(Path.Combine(Folder, name));

    public static List<string> Texts() => [.. Read("Tokenizers/texts.json").EnumerateArray().Select(t => t.GetString()!)];

    /// <summary>The small tokeniser with what is peculiar to a style: its added tokens follow the others, which become ordinary ones.</summary>
    public static GuardTokenizer Tokenizer(string style)
    {
        var styles = JsonNode.Parse(ReadText("Tokenizers/styles.json"))!;
        var own = styles[style]!;
        return TokenizerFixture.Load(root =>
        {
            foreach (var field in (string[])["normalizer", "pre_tokenizer"]) root[field] = own[field]?.DeepClone();
            root["model"]!["ignore_merges"] = own["ignore_merges"]?.DeepClone() ?? false;
            root["added_tokens"] = new JsonArray();
            var id = root["model"]!["vocab"]!.AsObject().Max(t => t.Value!.GetValue<int>());
            var added = own["added"]?.AsArray().Select(t => (Content: t!["content"]!, Normalized: t["normalized"]!.GetValue<bool>(), Special: false)) ?? [];
            var special = own["special"]!.AsArray().Select(t => (Content: t!, Normalized: false, Special: true));
            foreach (var token in added.Concat(special))
            {
                root["added_tokens"]!.AsArray().Add(new JsonObject
                {
                    ["id"] = ++id,
                    ["content"] = token.Content.DeepClone(),
                    ["normalized"] = token.Normalized,
                    ["special"] = token.Special,
                });
            }
        });
    }
}
