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

    /// <summary>The small tokeniser with what is peculiar to a style, and its added tokens behind the others.</summary>
    public static GuardTokenizer Tokenizer(string style)
    {
        var styles = JsonNode.Parse(ReadText("Tokenizers/styles.json"))!;
        var own = styles[style]!;
        return TokenizerFixture.Load(root =>
        {
            foreach (var field in (string[])["normalizer", "pre_tokenizer"]) root[field] = own[field]?.DeepClone();
            root["model"]!["ignore_merges"] = own["ignore_merges"]?.DeepClone() ?? false;
            var id = root["model"]!["vocab"]!.AsObject().Max(t => t.Value!.GetValue<int>());
            foreach (var (tokens, isSpecial) in new[] { (own["special"], true), (own["added"], false) })
            {
                foreach (var token in tokens?.AsArray() ?? [])
                {
                    root["added_tokens"]!.AsArray().Add(new JsonObject
                    {
                        ["id"] = ++id,
                        ["content"] = token!.DeepClone(),
                        ["special"] = isSpecial,
                    });
                }
            }
        });
    }
}
